// SPDX-License-Identifier: Apache-2.0

// Package inventory observes clusters: it collects, from all of them at once,
// what the compiler must know and the repository cannot say.
//
// A cluster that does not answer in time is in the inventory with the reason,
// and stops nobody else. What Fairlead allotted before is read back from its own
// objects (the ledger), also for a cluster that is out of sight: the others'
// objects name its addresses.
//
// Words: a Target is a cluster and the way to reach it. Foreign objects are
// those of kinds that Fairlead writes which somebody else owns.
//
// Out of scope: deciding what a fact means, and remembering anything.
package inventory
