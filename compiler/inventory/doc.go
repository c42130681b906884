// SPDX-License-Identifier: Apache-2.0

// Package inventory holds what the compiler must know of the clusters and the
// repository cannot say, as plain data that can be written to a file.
//
// The reconciler collects it; "fairlead inventory" writes it, so that a pull
// request can be compiled with no access to any cluster. It is observation:
// nothing in it can reject a revision.
//
// A fact is something that one cluster says of itself. The ledger is what
// Fairlead allotted before: a name that was once given an address keeps it.
//
// Out of scope: collecting it, and deciding what a fact means.
package inventory
