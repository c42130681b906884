// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/netip"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// checkSets finds what ClusterSets get wrong.
func (b *builder) checkSets() {
	b.checkIdentity()
	for _, s := range b.fleet.Sets {
		b.checkRanges(s)
		for _, c := range s.Clusters {
			b.checkProviders(c)
		}
	}
}

// checkIdentity: facts and allocations are kept by cluster name, and a bundle
// is applied to a context; each may stand for one cluster only.
func (b *builder) checkIdentity() {
	owner, context := map[string]*Cluster{}, map[string]*Cluster{}
	for _, s := range b.fleet.Sets {
		for _, c := range s.Clusters {
			if other, ok := owner[c.Name]; ok && other.Set != s {
				b.report(mistake{code: CodeClusterTwice, at: c.At(".name"), fix: "choose another name",
					related: also(other.At(".name"), "the other one")}, "cluster %q is also in ClusterSet %q", c.Name, other.Set.Name)
				continue
			}
			owner[c.Name] = c
			if other, ok := context[c.Context]; ok && other.Name != c.Name {
				b.report(mistake{code: CodeContextTwice, at: c.At(".api.context"), fix: "give each cluster its own context",
					related: also(other.At(".api.context"), "the other one")},
					"clusters %q and %q are reached by the same context %q", other.Name, c.Name, c.Context)
			}
			context[c.Context] = c
		}
	}
}

// At returns the position of a field of the cluster, such as ".name".
func (c *Cluster) At(field string) diag.Position { return c.Set.At(c.Path + field) }

func (b *builder) checkProviders(c *Cluster) {
	at := mistake{code: CodeProviders, at: c.At(".providers.tunnel")}
	switch {
	case c.EastWest == v1alpha1.EastWestIstio && c.Tunnels():
		at.fix = "write tunnel: none"
		b.report(at, "cluster %q: Istio over Fairlead's tunnels is not supported in this version; it goes through east-west gateways", c.Name)
	case c.EastWest == v1alpha1.EastWestCilium && c.Tunnels():
		at.fix = "write tunnel: none"
		b.report(at, "cluster %q: Cilium's Cluster Mesh joins the pods of its clusters itself", c.Name)
	case c.EastWest == v1alpha1.EastWestFairlead && !c.Tunnels():
		at.fix = "write tunnel: fairlead"
		b.report(at, "cluster %q: eastWest fairlead reaches other clusters through Fairlead's tunnels only", c.Name)
	}
}

// span is one address range of a set and where it is written.
type span struct {
	what   string
	prefix netip.Prefix
	at     diag.Position
	// cluster is nil for the set's own ranges; global marks a globalCIDR.
	cluster *Cluster
	global  bool
}

func spans(s *Set) []span {
	out := []span{{what: "addresses.global", prefix: s.Global, at: s.At("spec.addresses.global"), global: true},
		{what: "addresses.clusterset", prefix: s.Virtual, at: s.At("spec.addresses.clusterset")}}
	for _, c := range s.Clusters {
		for i, p := range c.Pods {
			out = append(out, span{"podCIDR of " + c.Name, p, c.At(fmt.Sprintf(".network.podCIDRs[%d]", i)), c, false})
		}
		for i, p := range c.Services {
			out = append(out, span{"serviceCIDR of " + c.Name, p, c.At(fmt.Sprintf(".network.serviceCIDRs[%d]", i)), c, false})
		}
		if c.Global.IsValid() {
			out = append(out, span{"globalCIDR of " + c.Name, c.Global, c.At(".network.globalCIDR"), c, true})
		}
	}
	return out
}

// checkRanges finds ranges that overlap where packets must be told apart by
// them.
func (b *builder) checkRanges(s *Set) {
	all := spans(s)
	for i, second := range all {
		for _, first := range all[:i] {
			if first.prefix.Overlaps(second.prefix) && clash(first, second) {
				b.report(mistake{code: CodeOverlap, at: second.at, fix: "choose ranges that have no address in common; translation between overlapping clusters is not supported in this version",
					related: also(first.at, "the other range")}, "%s %s overlaps %s %s", second.what, second.prefix, first.what, first.prefix)
			}
		}
	}
}

// clash tells whether an overlap matters: inside one cluster and with the
// set's own ranges always; between clusters where tunnels join them. Clusters
// that only meet at gateways never see each other's addresses.
func clash(first, second span) bool {
	switch {
	case first.cluster == nil && second.cluster == nil:
		return true
	case first.cluster == nil:
		return !(first.global && second.global)
	case first.cluster == second.cluster:
		return true
	}
	return first.cluster.Tunnels() && second.cluster.Tunnels()
}
