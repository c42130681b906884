// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Result is what a revision asks of the clusters. It is empty when a
// diagnostic is an error.
type Result struct {
	// Bundles, one for every cluster of the ClusterSet, sorted by Store.
	Bundles []manifest.Bundle
	// Allocations are all that are in use now, sorted; the next Compile takes
	// them in as the inventory's Ledger.
	Allocations []inventory.Allocation
	// Stages of the rollouts by ClusterSet, each set's in order; every cluster of
	// such a set is in exactly one. A set without a rollout has none: its
	// clusters change at once.
	Stages []Stage
	// Pending lists what is missing and will be emitted once it is there.
	Pending []Pending
	// Held lists the fragments that must stay as they were applied last.
	Held []Held
	// Quarantined lists observed facts that are not believed.
	Quarantined []Quarantined
	// Traffic is what each consumer's requests get, sorted as written: by
	// cluster, service, rule, tier and backend.
	Traffic []Traffic
}

// Stage is a set of clusters that change together.
type Stage struct {
	ClusterSet string `json:"clusterSet"`
	Name       string `json:"name"`
	// Clusters by name.
	Clusters []string `json:"clusters"`
	// Soak is how long the stage must be well before the next begins; empty: not
	// at all.
	Soak v1alpha1.Duration `json:"soak,omitempty"`
}

// Pending is one thing that is missing in a cluster.
type Pending struct {
	// Store is the cluster whose bundle lacks something.
	Store string `json:"store"`
	// Fragment that lacks it.
	Fragment manifest.FragmentID `json:"fragment"`
	// Message says what is missing and where it is expected, in one line.
	Message string `json:"message"`
	// Position of the document whose fragment it is, at its name.
	Position diag.Position `json:"position,omitzero"`
}

// Held is a fragment that is not in its bundle because an observed fact
// conflicts with it: its objects are to be neither changed nor removed.
type Held struct {
	Store    string              `json:"store"`
	Fragment manifest.FragmentID `json:"fragment"`
	// Message names both sources of the conflict, in one line.
	Message string `json:"message"`
	// Position of the document whose fragment it is, at its name.
	Position diag.Position `json:"position,omitzero"`
}

// Quarantined is a fact that a cluster announced and that contradicts what git
// or another cluster says. It is not used; what was known before stays in use.
type Quarantined struct {
	// Cluster that announced the fact.
	Cluster string `json:"cluster"`
	// Fact that was announced, such as "public key of node worker-1".
	Fact string `json:"fact"`
	// Message names both sources, in one line.
	Message string `json:"message"`
}

// Traffic is the share of one backend in one rule at one consumer while
// everything is healthy.
type Traffic struct {
	// Consumer is the cluster that the callers are in.
	Consumer string `json:"consumer"`
	// Fragment of the policy that says so; it is in the consumer's bundle.
	Fragment manifest.FragmentID `json:"fragment"`
	// Service as namespace/name.
	Service string `json:"service"`
	// Rule by name, or by its place from 0.
	Rule string `json:"rule"`
	// Backend as cluster, cluster/version, or cluster/label=value,… for a subset.
	Backend string `json:"backend"`
	// Tier from 0.
	Tier int32 `json:"tier"`
	// Permille of the tier's traffic, 0 to 1000.
	Permille int32 `json:"permille"`
}

// stages takes over the stages of every set.
func (r *Result) stages(f *fleet.Fleet) {
	for _, set := range f.Sets {
		for _, s := range set.Stages {
			out := Stage{ClusterSet: set.Name, Name: s.Name, Soak: s.Soak, Clusters: []string{}}
			for _, c := range s.Clusters {
				out.Clusters = append(out.Clusters, c.Name)
			}
			r.Stages = append(r.Stages, out)
		}
	}
}

// place says of what is pending and held which document it is about.
func (r *Result) place(docs source.Documents) {
	if len(r.Pending)+len(r.Held) == 0 {
		return
	}
	places := map[manifest.FragmentID]diag.Position{}
	for _, s := range docs.ClusterSets {
		places[manifest.FragmentID("ClusterSet/"+s.Name)] = s.Origin.At("metadata.name")
	}
	for _, p := range docs.Policies {
		places[manifest.FragmentID("TrafficPolicy/"+p.Namespace+"/"+p.Name)] = p.Origin.At("metadata.name")
	}
	for i, p := range r.Pending {
		r.Pending[i].Position = places[p.Fragment]
	}
	for i, h := range r.Held {
		r.Held[i].Position = places[h.Fragment]
	}
}
