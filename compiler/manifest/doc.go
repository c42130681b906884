// SPDX-License-Identifier: Apache-2.0

// Package manifest holds what the compiler hands over: Objects, which Fairlead
// owns whole, and Claims, a few fields of objects that somebody else owns;
// gathered in Fragments (one policy in one config store), gathered in a Bundle
// (everything for one config store).
//
// A config store is the API server that configuration is written to: here each
// cluster's own.
//
// Encoding is canonical: the same values give the same bytes and the same
// digest on every machine.
//
// Out of scope: applying, and any knowledge of particular kinds.
package manifest
