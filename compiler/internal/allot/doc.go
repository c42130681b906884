// SPDX-License-Identifier: Apache-2.0

// Package allot gives names addresses, or prefixes, of a range.
//
// A name that the ledger knows keeps its value for as long as the range still
// has it; such values are set aside before any new name is served. A new name
// gets the value that its hash points at, or the next free one after it, so
// that what one name gets hardly depends on the others and not at all on the
// order they come in.
//
// The ledger may be read back from objects that somebody else can write. Where
// those who speak of a name contradict each other, the most voices win, and one
// alone moves nothing.
//
// Words: a Claim says that a name was allotted a value before; its voices are
// the clusters that say so; a Rejected claim is one that is not believed.
//
// Out of scope: which names there are, and writing the ledger down.
package allot
