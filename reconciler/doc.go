// SPDX-License-Identifier: Apache-2.0

// Package reconciler makes clusters hold what a repository says: it fetches a
// Snapshot of the repository, collects an Inventory of the clusters, has both
// compiled, and applies each Bundle to its cluster, or reports what applying
// would change.
//
// A round is one pass of this. What is pending after a round (a key that an
// agent has not announced yet) is reported, and Options.Wait goes round again
// until nothing is. Nothing is remembered between rounds: what Fairlead owns is
// written on the objects, what it allotted is read back from them, so a round
// that was killed anywhere is finished by the next.
//
// Where a ClusterSet has a rollout, its clusters are served stage by stage. A
// stage that is not complete stops the later ones of its set; what was done
// stays, and the next run goes on. Nothing is rolled back: revert the commit.
//
// Words: a Snapshot is the files of one Revision; a Report is what a round
// found and did; an Outcome is what became of one cluster.
//
// Out of scope: what a policy means (package compiler), going back by itself, and
// endpoints.
package reconciler
