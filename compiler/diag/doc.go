// SPDX-License-Identifier: Apache-2.0

// Package diag holds what the compiler tells people: one Diagnostic per
// mistake, with a stable code, the place in the user's file and the way out.
//
// Out of scope: where diagnostics come from, and colour.
package diag
