// SPDX-License-Identifier: Apache-2.0

// Package allot gives names addresses, or prefixes, of a range.
//
// A name that the ledger knows keeps its value for as long as the range still
// has it; such values are set aside before any new name is served. A new name
// gets the value that its hash points at, or the next free one after it, so
// that what one name gets hardly depends on the others and not at all on the
// order they come in.
//
// Out of scope: which names there are, and writing the ledger down.
package allot
