// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"maps"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"istio.io/api/networking/v1alpha3"
)

// strangers adds the subsets that callers of other meshes name: their sidecars
// ask the gateways for chains by name, as everywhere else. A gateway passes on
// to the pods of its own network alone, so that one subset stands for the part
// of each cluster: a chain means the same pods in all of them, or has one alone,
// which is then named.
func (s *sharer) strangers() {
	for _, w := range s.works {
		x := w.service.Export
		if x == nil || x.Gateway == nil || x.ClearText {
			continue
		}
		for _, caller := range x.Callers {
			inside := slices.ContainsFunc(s.works, func(other work) bool { return other.service.Cluster == caller.Cluster })
			if inside {
				continue
			}
			for _, r := range caller.Rules {
				if caller.Other {
					s.strangerOfOther(w, caller.Cluster, r.Tiers[0][0])
				} else {
					s.stranger(w, caller.Cluster, r)
				}
			}
		}
	}
}

// stranger adds what one rule of another mesh's callers names in a cluster.
func (s *sharer) stranger(w work, caller string, r plan.Rule) {
	for _, c := range asked(r) {
		ours := slices.DeleteFunc(c.Members(), func(b plan.Backend) bool {
			return b.Lost || !slices.ContainsFunc(s.works, func(w work) bool { return w.service.Cluster == b.Cluster })
		})
		for _, member := range ours {
			if member.Cluster != w.service.Cluster {
				continue
			}
			labels := maps.Clone(member.Labels)
			if len(ours) == 1 {
				if labels == nil {
					labels = map[string]string{}
				}
				labels[clusterLabel] = member.Cluster
			}
			for _, port := range w.service.Ports {
				name := s.subsetName(caller, port, c)
				s.subsets[name] = &v1alpha3.Subset{Name: name, Labels: labels}
			}
		}
	}
}

// strangerOfOther adds what policies of other services in another mesh name in a
// cluster: its pods alone.
func (s *sharer) strangerOfOther(w work, caller string, b plan.Backend) {
	me := other{namespace: s.service.Namespace, name: s.service.Name}
	labels := map[string]string{clusterLabel: w.service.Cluster}
	maps.Copy(labels, b.Labels)
	for _, port := range w.service.Ports {
		name := me.subset(caller, port, b, nil)
		s.subsets[name] = &v1alpha3.Subset{Name: name, Labels: labels}
	}
}
