// SPDX-License-Identifier: Apache-2.0

// Package inventory observes clusters: it collects, from all of them at once,
// what the compiler must know and the repository cannot say.
//
// A cluster that does not answer in time is in the inventory with the reason,
// and stops nobody else. What Fairlead allotted before is read back from its own
// objects (the ledger), also for a cluster that is out of sight: the others'
// objects name its addresses. Every entry has the names of the clusters whose
// objects say so.
//
// Nothing that a cluster says is true because it says so: its administrator
// writes its objects and chooses what its API server answers. What is read is
// bounded in time, size and number. Two things are a cluster's own affair: which
// of its objects carry the label of an ApplySet (whoever sets it on an object
// asks for its removal), and which fragment their annotations name (a held
// fragment's objects stay, in that cluster).
//
// Words: a Target is a cluster and the way to reach it. Foreign objects are
// those of kinds that Fairlead writes which somebody else owns.
//
// Out of scope: deciding what a fact means, and remembering anything.
package inventory
