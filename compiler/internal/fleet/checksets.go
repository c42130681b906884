// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// checkSets finds what ClusterSets get wrong.
func (b *builder) checkSets() {
	b.checkIdentity()
	for _, s := range b.fleet.Sets {
		b.checkRanges(s)
		b.checkNetworks(s)
		b.checkEgress(s)
		for _, c := range s.Clusters {
			b.checkProviders(c)
			b.checkRoom(c)
			b.checkAlone(c)
		}
		b.checkDomains(s)
	}
}

// checkIdentity: facts and allocations are kept by cluster name, and a bundle
// is applied to an API server; each may stand for one cluster only.
func (b *builder) checkIdentity() {
	owner, reached := map[string]*Cluster{}, map[string]*Cluster{}
	for _, s := range b.fleet.Sets {
		for _, c := range s.Clusters {
			if other, ok := owner[c.Name]; ok && other.Set != s {
				b.report(mistake{code: CodeClusterTwice, at: c.At(".name"), fix: "choose another name",
					related: also(other.At(".name"), "the other one")}, "cluster %q is also in ClusterSet %q", c.Name, other.Set.Name)
				continue
			}
			owner[c.Name] = c
			way := c.API.String()
			if other, ok := reached[way]; ok && other.Name != c.Name {
				b.report(mistake{code: CodeContextTwice, at: c.At(".api"), fix: "give each cluster its own",
					related: also(other.At(".api"), "the other one")},
					"clusters %q and %q are reached by the same %s", other.Name, c.Name, way)
			}
			reached[way] = c
		}
	}
}

// At returns the position of a field of the cluster, such as ".name".
func (c *Cluster) At(field string) diag.Position { return c.Set.At(c.Path + field) }

// ciliumNameLength is the most that Cilium allows its cluster.name to have.
const ciliumNameLength = 32

func (b *builder) checkProviders(c *Cluster) {
	at := mistake{code: CodeProviders, at: c.At(".providers.tunnel")}
	tunnels := c.Tunnel == v1alpha1.TunnelFairlead
	switch {
	case c.EastWest == v1alpha1.EastWestCilium && len(c.Name) > ciliumNameLength:
		at.code, at.at, at.fix = CodeNameTooLong, c.At(".name"), "choose a shorter name, here and for cluster.name of Cilium"
		b.report(at, "cluster %q: Cilium knows clusters by names of at most %d characters", c.Name, ciliumNameLength)
	case c.EastWest == v1alpha1.EastWestCilium && tunnels:
		at.fix = "write tunnel: none"
		b.report(at, "cluster %q: Cilium's Cluster Mesh joins the pods of its clusters itself", c.Name)
	case c.EastWest == v1alpha1.EastWestFairlead && !tunnels:
		at.fix = "write tunnel: fairlead"
		b.report(at, "cluster %q: eastWest fairlead reaches other clusters through Fairlead's tunnels only", c.Name)
	}
}

// checkAlone warns of a cluster that the topology forgets.
func (b *builder) checkAlone(c *Cluster) {
	if len(c.Joined) > 1 || c.Removed() || c.Set.Topology == v1alpha1.TopologyMesh {
		return
	}
	b.warn(mistake{code: CodeAlone, at: c.At(".name"), fix: "add it to a group",
		related: also(c.Set.At(topologyPath), "the topology")}, "topology %s joins cluster %q with no other", c.Set.Topology, c.Name)
}

// localDomain is that of the names of a cluster's own Services.
const localDomain = "cluster.local"

// checkDomains: the names that follow from the domain are nobody else's.
func (b *builder) checkDomains(s *Set) {
	for _, c := range s.Clusters {
		if c.Name+"."+s.Domain == localDomain {
			b.report(mistake{code: CodeNamesCollide, at: c.At(".name"), fix: "choose another name, or another domain",
				related: also(s.At("spec.domain"), "the domain")},
				"the parts of services in cluster %q would have the names of every cluster's own Services (%s)", c.Name, localDomain)
		}
	}
}
