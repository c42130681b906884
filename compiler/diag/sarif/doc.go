// SPDX-License-Identifier: Apache-2.0

// Package sarif writes diagnostics as a SARIF 2.1.0 log (OASIS standard), which
// code hosts and editors show beside the lines of a change.
//
// Each result has its code as the rule, with the text of the code's page; the
// place with columns in Unicode code points; the related places; the way out as
// part of its message; and a fingerprint that stays when lines move. Paths are
// relative to the repository's root, %SRCROOT%.
//
// Out of scope: what is pending, held or quarantined in clusters, which has no
// place in a file.
package sarif
