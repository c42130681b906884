// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// topology finds the clusters that each one is joined with. A cluster that is
// removed is joined with none.
func (b *builder) topology(s *Set, of *v1alpha1.Connectivity) {
	t := &v1alpha1.Topology{}
	if of != nil && of.Topology != nil {
		t = of.Topology
	}
	s.Topology = cmp.Or(t.Mode, v1alpha1.TopologyMesh)
	var groups [][]*Cluster
	switch s.Topology {
	case v1alpha1.TopologyHubAndSpoke:
		for _, name := range t.Hubs {
			hub := s.Cluster(name)
			for _, c := range s.Clusters {
				if hub != nil {
					groups = append(groups, []*Cluster{hub, c})
				}
			}
		}
	case v1alpha1.TopologyGroups:
		for i, g := range t.Groups {
			groups = append(groups, b.choose(s.speaks(), g.ClusterSelector, fmt.Sprintf("%s.groups[%d]", topologyPath, i)).all())
		}
	default:
		groups = append(groups, s.Clusters)
	}
	for _, c := range s.Clusters {
		c.joined = make([]bool, len(s.Clusters))
		c.joined[c.place] = true
	}
	for _, g := range groups {
		for _, c := range g {
			for _, other := range g {
				c.joined[other.place] = c.joined[other.place] || !c.Removed() && !other.Removed() || c == other
			}
		}
	}
	for _, c := range s.Clusters {
		for _, other := range s.Clusters {
			if c.joined[other.place] {
				c.Joined = append(c.Joined, other)
			}
		}
	}
}

// topologyPath is where a ClusterSet says which clusters are joined.
const topologyPath = "spec.connectivity.topology"

// Removed tells whether everything of Fairlead's is taken away from the
// cluster.
func (c *Cluster) Removed() bool { return c.State == v1alpha1.ClusterRemoved }

// Exports tells whether the cluster's state lets it offer services.
func (c *Cluster) Exports() bool { return c.State == v1alpha1.ClusterActive }

// JoinedWith tells whether the topology joins two clusters; a cluster is joined
// with itself.
func (c *Cluster) JoinedWith(other *Cluster) bool {
	return c.Set == other.Set && c.joined[other.place]
}

// Reaches tells whether pods of the cluster can be connected to services of
// another: the topology joins them, and there are tunnels between two that
// Fairlead routes, or gateways between two of another provider.
func (c *Cluster) Reaches(other *Cluster) bool {
	return c.JoinedWith(other) && (c == other || c.EastWest == other.EastWest)
}

// reachesAny tells whether any of the clusters is in reach.
func (c *Cluster) reachesAny(others []*Cluster) bool { return slices.ContainsFunc(others, c.Reaches) }

// checkReach reports the consumers that cannot reach a cluster: in one line
// those that the topology keeps apart from it, in another those whose provider
// has no path to it.
func (b *builder) checkReach(p *Policy, consumers []*Cluster, to *Cluster, path string) {
	var apart, cut []*Cluster
	for _, c := range consumers {
		switch {
		case c.Reaches(to) || to.Removed():
			// Whoever names a cluster that is removed is warned of that.
		case !c.JoinedWith(to):
			apart = append(apart, c)
		default:
			cut = append(cut, c)
		}
	}
	if len(apart) > 0 {
		b.report(mistake{code: CodeOutOfReach, at: p.At(path), fix: "narrow imports.to, or join the clusters in the topology",
			related: also(p.Set.At(topologyPath), "the topology")},
			"%s cannot reach cluster %q: topology %s does not join them", comma(apart), to.Name, p.Set.Topology)
	}
	if len(cut) > 0 {
		b.report(mistake{code: CodeOutOfReach, at: p.At(path), fix: "narrow imports.to, or give the clusters the same east-west provider",
			related: also(to.At(".providers.eastWest"), "its provider")},
			"%s cannot reach cluster %q (eastWest %s)", withProviders(cut), to.Name, to.EastWest)
	}
}

// checkReachAny reports the consumers that can reach none of the exporters.
func (b *builder) checkReachAny(s *Service, p *Policy) {
	exporters := s.named()
	var lost []*Cluster
	for _, c := range p.Consumers {
		if len(exporters) > 0 && !c.reachesAny(exporters) {
			lost = append(lost, c)
		}
	}
	if len(lost) == 0 {
		return
	}
	related, why := also(p.Set.At(topologyPath), "the topology"), fmt.Sprintf("topology %s does not join them", p.Set.Topology)
	for _, c := range lost {
		if i := slices.IndexFunc(exporters, c.JoinedWith); i >= 0 {
			e := exporters[i]
			related = []diag.Related{{Position: e.At(".providers.eastWest"), Message: "the provider of " + e.Name}}
			why = fmt.Sprintf("%s has eastWest %s and %s %s", c.Name, c.EastWest, e.Name, e.EastWest)
			break
		}
	}
	b.report(mistake{code: CodeOutOfReach, at: p.At(p.importsPath()), fix: "narrow imports.to, or let one of the exporters be reached", related: related},
		"%s cannot reach any cluster that exports service %s (%s): %s", comma(lost), s.Key(), comma(exporters), why)
}

func withProviders(clusters []*Cluster) string {
	var out string
	for i, c := range clusters {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%s (eastWest %s)", c.Name, c.EastWest)
	}
	return out
}
