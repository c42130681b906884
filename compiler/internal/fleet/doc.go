// SPDX-License-Identifier: Apache-2.0

// Package fleet resolves what the documents of a repository say together: the
// names of clusters and sets, defaults, who exports, who consumes, addresses
// and gateway keys.
//
// A Set is a ClusterSet, a Cluster one of its members, a Service what all
// policies of one service say. Every mistake is reported on the user's line,
// with the other line where two are in conflict. The inventory never makes a
// mistake: what it lacks is seen in later steps, and a fact that contradicts
// git or another cluster is Quarantined and not used.
//
// Out of scope: what must be true in each cluster (package plan), and the
// checks of one document by itself (package source).
package fleet
