// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// rangeKind is what an address range is for.
type rangeKind int

const (
	// setRange is one of the set's own, for what clusters and Services are called by.
	setRange rangeKind = iota
	// globalRange is addresses.global or a cluster's part of it.
	globalRange
	podRange
	serviceRange
)

// span is one address range of a set and where it is written.
type span struct {
	what   string
	prefix netip.Prefix
	at     diag.Position
	// cluster is nil for the set's own ranges.
	cluster *Cluster
	kind    rangeKind
}

func spans(s *Set) []span {
	out := []span{{what: "addresses.global", prefix: s.Global, at: s.At("spec.addresses.global"), kind: globalRange},
		{what: "addresses.clusterset", prefix: s.Virtual, at: s.At("spec.addresses.clusterset"), kind: setRange}}
	if s.Virtual6.IsValid() {
		out = append(out, span{what: "addresses.clustersetIPv6", prefix: s.Virtual6, at: s.At("spec.addresses.clustersetIPv6"), kind: setRange})
	}
	for _, c := range s.Clusters {
		for i, p := range c.Pods {
			out = append(out, span{"podCIDR of " + c.Name, p, c.At(fmt.Sprintf(".network.podCIDRs[%d]", i)), c, podRange})
		}
		for i, p := range c.Services {
			out = append(out, span{"serviceCIDR of " + c.Name, p, c.At(fmt.Sprintf(".network.serviceCIDRs[%d]", i)), c, serviceRange})
		}
		if c.Global.IsValid() {
			out = append(out, span{"globalCIDR of " + c.Name, c.Global, c.At(".network.globalCIDR"), c, globalRange})
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
			if !first.prefix.Overlaps(second.prefix) || !clash(first, second) {
				continue
			}
			fix := "choose ranges that have no address in common"
			if first.translatable(second) {
				fix += ", or write connectivity.translate: pool or prefix"
			}
			b.report(mistake{code: CodeOverlap, at: second.at, fix: fix, related: also(first.at, "the other range")},
				"%s %s overlaps %s %s", second.what, second.prefix, first.what, first.prefix)
		}
	}
}

// clash tells whether an overlap matters: inside one cluster and with the
// set's own ranges always; between clusters where tunnels or a network of a
// mesh join them and nothing translates. Clusters that only meet at gateways
// never see each other's addresses.
func clash(first, second span) bool {
	x, y := first.cluster, second.cluster
	switch {
	case x == nil && y == nil:
		return true
	case x == nil:
		return !(first.kind == globalRange && second.kind == globalRange)
	case x == y:
		return true
	case first.kind == podRange && second.kind == podRange && x.Near(y):
		return true
	case first.kind == globalRange && second.kind == globalRange:
		return x.Tunnels() && y.Tunnels()
	}
	return x.Tunnels() && y.Tunnels() && x.meets(y) && !(x.Set.Translate != v1alpha1.TranslateNone && first.translatable(second))
}

// meets tells whether some cluster is joined by tunnels with both: it could not
// tell their addresses apart.
func (c *Cluster) meets(other *Cluster) bool {
	return slices.ContainsFunc(c.Joined, func(z *Cluster) bool { return z.Tunnels() && z.JoinedWith(other) })
}

// translatable tells whether the gateways of clusters can hide an overlap.
// Global CIDRs are what they hide it behind, and have IPv4 addresses alone.
func (first span) translatable(second span) bool {
	return first.cluster != nil && second.cluster != nil && first.cluster != second.cluster && !first.cluster.Near(second.cluster) &&
		first.kind != globalRange && second.kind != globalRange && first.prefix.Addr().Is4()
}

// Prefixes lists what the cluster reaches another by: its global CIDR, and its
// pods where their addresses are nobody else's here.
func (c *Cluster) Prefixes(other *Cluster) []netip.Prefix {
	if c.Set.Translate != v1alpha1.TranslateNone && slices.ContainsFunc(c.Joined, other.overlaps) {
		return []netip.Prefix{other.Global}
	}
	return append(slices.Clone(other.Pods), other.Global)
}

// overlaps tells whether pods of the cluster have addresses of another one's.
func (c *Cluster) overlaps(other *Cluster) bool {
	theirs := slices.Concat(other.Pods, other.Services)
	return c != other && other.Tunnels() && slices.ContainsFunc(c.Pods, func(p netip.Prefix) bool { return slices.ContainsFunc(theirs, p.Overlaps) })
}

// checkRoom: where every pod has an address of its own in the global CIDR, all
// must fit.
func (b *builder) checkRoom(c *Cluster) {
	if c.Set.Translate != v1alpha1.TranslatePrefix || !c.Tunnels() {
		return
	}
	global, at, bits := "globalCIDR", c.At(".network.globalCIDR"), clusterBits
	if c.Global.IsValid() {
		bits = c.Global.Bits()
		global = fmt.Sprintf("globalCIDR %s", c.Global)
	} else {
		global, at = fmt.Sprintf("globalCIDR (a /%d that is allotted)", clusterBits), c.At(".network")
	}
	wanted := uint64(0)
	for i, p := range c.Pods {
		if !p.Addr().Is4() {
			continue
		}
		wanted += 1 << (addressBits - p.Bits())
		if room := uint64(1) << (addressBits - bits); wanted > room {
			b.report(mistake{code: CodeTranslation, at: c.At(fmt.Sprintf(".network.podCIDRs[%d]", i)), fix: "give the cluster a larger globalCIDR, or write translate: pool",
				related: also(at, "its global CIDR")},
				"cluster %q: podCIDR %s does not fit into its %s, in which translate: prefix gives every pod an address", c.Name, p, global)
			return
		}
	}
}
