// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// sets resolves every ClusterSet.
func (b *builder) sets(docs []source.ClusterSet) {
	for _, doc := range docs {
		spec := doc.Spec
		ranges := v1alpha1.AddressRanges{}
		if spec.Addresses != nil {
			ranges = *spec.Addresses
		}
		s := &Set{Name: doc.Name, Domain: cmp.Or(spec.Domain, v1alpha1.DefaultDomain), At: doc.Origin.At,
			Global:   prefix(cmp.Or(ranges.Global, v1alpha1.DefaultGlobalRange)),
			Virtual:  prefix(cmp.Or(ranges.ClusterSet, v1alpha1.DefaultClusterSetRange)),
			Virtual6: prefix(ranges.ClusterSetIPv6),
			Driver:   v1alpha1.DriverWireGuard, Translate: v1alpha1.TranslateNone}
		s.Deny = spec.Access != nil && spec.Access.Default == v1alpha1.AccessDeny
		if s.tenants = spec.Tenancy; spec.Defaults != nil {
			s.Defaults = *spec.Defaults
		}
		if c := spec.Connectivity; c != nil {
			s.Driver, s.Translate, s.egress = cmp.Or(c.Driver, s.Driver), cmp.Or(c.Translate, s.Translate), c.Egress
			if mtu, err := strconv.ParseInt(c.MTU, 10, 32); err == nil {
				s.MTU = int32(mtu)
			}
		}
		for i, c := range spec.Clusters {
			s.Clusters = append(s.Clusters, b.cluster(s, c, indexed("spec.clusters", i)))
		}
		written := slices.Clone(s.Clusters)
		slices.SortStableFunc(s.Clusters, byName)
		s.index()
		b.known(s)
		for i, c := range spec.Clusters {
			b.controlPlane(written[i], c.Istio)
		}
		b.topology(s, spec.Connectivity)
		b.stages(s, spec.Rollout)
		b.fleet.Sets = append(b.fleet.Sets, s)
	}
	slices.SortStableFunc(b.fleet.Sets, func(x, y *Set) int { return cmp.Compare(x.Name, y.Name) })
}

// index lets clusters be found by name, of two of one name the first, and
// notes their places.
func (s *Set) index() {
	s.named = make(map[string]*Cluster, len(s.Clusters))
	for i, c := range slices.Backward(s.Clusters) {
		s.named[c.Name], c.place = c, i
	}
}

func (b *builder) cluster(s *Set, c v1alpha1.Cluster, path string) *Cluster {
	out := &Cluster{Set: s, Name: c.Name, Region: c.Region, Zone: c.Zone, API: v1alpha1.ClusterAPI{Context: c.Name}, Labels: c.Labels, Path: path,
		State: cmp.Or(c.State, v1alpha1.ClusterActive), EastWest: v1alpha1.EastWestFairlead, NorthSouth: v1alpha1.NorthSouthNone,
		Discovery: v1alpha1.DiscoveryFairlead}
	if c.API != nil {
		out.API = *c.API
	}
	if p := c.Providers; p != nil {
		out.EastWest, out.NorthSouth = cmp.Or(p.EastWest, out.EastWest), cmp.Or(p.NorthSouth, out.NorthSouth)
		out.Discovery, out.Tunnel = cmp.Or(p.Discovery, out.Discovery), p.Tunnel
	}
	if out.Tunnel == "" {
		out.Tunnel = v1alpha1.TunnelNone
		if out.EastWest == v1alpha1.EastWestFairlead {
			out.Tunnel = v1alpha1.TunnelFairlead
		}
	}
	if n := c.Network; n != nil {
		out.Pods, out.Services = prefixes(n.PodCIDRs), prefixes(n.ServiceCIDRs)
		if out.Tunnels() {
			out.pinned = prefix(n.GlobalCIDR)
			out.Global = out.pinned
		}
	}
	for _, g := range c.Gateways {
		// Ports that are none were reported where the document was read.
		first, last, _ := g.Ports.Parse()
		out.Gateways = append(out.Gateways, &Gateway{Name: g.Name, Node: g.Node, Port: cmp.Or(first, v1alpha1.DefaultTunnelPort),
			LastPort: cmp.Or(last, v1alpha1.DefaultTunnelPort), pin: g.PublicKey, declared: addresses(g.Addresses), private: addresses(g.PrivateAddresses)})
	}
	out.Mesh = mesh(c.Istio)
	out.Mesh.Network = cmp.Or(out.Mesh.Network, c.Name)
	return out
}

// prefix reads a CIDR. What is no CIDR was reported where its document was
// read and is not valid here.
func prefix(c v1alpha1.CIDR) netip.Prefix {
	p, err := netip.ParsePrefix(string(c))
	if err != nil {
		return netip.Prefix{}
	}
	return p.Masked()
}

func prefixes(cs []v1alpha1.CIDR) []netip.Prefix {
	out := make([]netip.Prefix, len(cs))
	for i, c := range cs {
		out[i] = prefix(c)
	}
	return out
}

func addresses(as []v1alpha1.Address) []netip.Addr {
	var out []netip.Addr
	for _, a := range as {
		if addr, err := netip.ParseAddr(string(a)); err == nil {
			out = append(out, addr)
		}
	}
	return out
}
