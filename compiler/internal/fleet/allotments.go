// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// clusterBits is the length of each cluster's part of addresses.global, as the
// ClusterSet's documentation says.
const clusterBits = 16

// addressBits is the length of a single IPv4 address.
const addressBits = 32

// allot gives every name that takes part its address, and writes the ledger.
func (b *builder) allot() {
	b.kept = make([]inventory.Allocation, 0, len(b.inv.Ledger)) // mostly the same
	var tunnelled []*Cluster
	for _, s := range b.fleet.Sets {
		b.allotGlobal(s)
		for _, c := range s.Clusters {
			if c.Tunnels() && c.Global.IsValid() {
				tunnelled = append(tunnelled, c)
			}
		}
	}
	exports := make([][]netip.Addr, len(tunnelled))
	b.each(len(tunnelled), func(b *builder, i int) { exports[i] = b.allotCluster(tunnelled[i]) })
	for i, c := range tunnelled {
		takeExports(c, b.offers[c], exports[i])
	}
	b.allotVirtual()
	b.allotVirtual6()
	// Two sets with one range share what they wrote to the ledger.
	inventory.SortLedger(b.kept)
	b.fleet.Allocations = slices.CompactFunc(b.kept, sameAllocation)
}

func sameAllocation(x, y inventory.Allocation) bool {
	return x.Pool == y.Pool && x.Key == y.Key && x.Value == y.Value && slices.Equal(x.From, y.From)
}

// keep writes an allotment to the ledger.
func (b *builder) keep(pool, key, value string) {
	b.kept = append(b.kept, inventory.Allocation{Pool: pool, Key: key, Value: value})
}

// from allots addresses or prefixes, reports a range that is full, and shows
// the claims that are not believed.
func (b *builder) from(p allot.Pool, wanted []allot.Name, at diag.Position) map[allot.Name]netip.Prefix {
	p.Owner = ownerOf
	got, err := p.Allot(wanted, b.ledger)
	if err != nil {
		b.report(mistake{code: CodeRangeFull, at: at, fix: "choose a larger range"}, "%s", err)
	}
	for _, r := range got.Rejected {
		b.reject(p, r)
	}
	return got.Parts
}

// ownerOf returns the cluster that an allotment is of; a clusterset IP is
// nobody's.
func ownerOf(name allot.Name) string {
	for _, prefix := range []string{inventory.PoolExport, inventory.PoolTunnel, inventory.PoolEgress, inventory.PoolPrefix} {
		if cluster, ok := strings.CutPrefix(name.Pool, prefix); ok {
			return cluster
		}
	}
	if name.Pool == inventory.PoolGlobal {
		return name.Key
	}
	return ""
}

// reject quarantines a claim at every cluster that makes it.
func (b *builder) reject(p allot.Pool, r allot.Rejected) {
	why := "it is " + bare(r.Instead)
	if r.Taken != (allot.Name{}) {
		why = "it is the " + allotted(r.Taken)
	}
	switch {
	case len(r.By.From) > 0:
		why += ", as the objects in " + strings.Join(r.By.From, " and ") + " say"
	case r.By.Value != "":
		why += ", as the inventory's ledger says"
	case r.Taken == (allot.Name{}):
		why = fmt.Sprintf("it is no part of %s that can be used: it becomes %s", p.Range, bare(r.Instead))
	}
	for _, cluster := range r.Claim.From {
		b.quarantined = append(b.quarantined, Quarantined{Cluster: cluster,
			Fact: fmt.Sprintf("%s as the %s", shown(r.Claim.Value), allotted(r.Name)), Message: why})
	}
}

// allotted says in words what a name stands for.
func allotted(name allot.Name) string {
	switch owner := ownerOf(name); {
	case name.Pool == inventory.PoolGlobal:
		return "global CIDR of cluster " + name.Key
	case name.Pool == inventory.PoolClusterSet:
		return "clusterset IP of Service " + name.Key
	case name.Pool == inventory.PoolClusterSet6:
		return "IPv6 clusterset IP of Service " + name.Key
	case strings.HasPrefix(name.Pool, inventory.PoolTunnel):
		return fmt.Sprintf("tunnel address of gateway %s of cluster %s", name.Key, owner)
	case strings.HasPrefix(name.Pool, inventory.PoolEgress):
		return fmt.Sprintf("egress address %s of cluster %s", name.Key, owner)
	case strings.HasPrefix(name.Pool, inventory.PoolPrefix):
		return fmt.Sprintf("range that podCIDR %s of cluster %s is seen under", name.Key, owner)
	default:
		return fmt.Sprintf("export address of Service %s in cluster %s", name.Key, owner)
	}
}

// bare writes a single address without its length.
func bare(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// allotGlobal gives each cluster with tunnels its global CIDR. What git pins
// is not handed out.
func (b *builder) allotGlobal(s *Set) {
	pool := allot.Pool{Range: s.Global, Bits: clusterBits}
	var wanted []allot.Name
	for _, c := range s.Clusters {
		switch {
		case c.Global.IsValid():
			pool.Reserved = append(pool.Reserved, c.Global)
		case c.Tunnels():
			wanted = append(wanted, allot.Name{Pool: inventory.PoolGlobal, Key: c.Name})
		}
	}
	got := b.from(pool, wanted, s.At("spec.addresses.global"))
	for _, c := range s.Clusters {
		if part, ok := got[allot.Name{Pool: inventory.PoolGlobal, Key: c.Name}]; ok {
			c.Global = part
		}
		if c.Global.IsValid() {
			b.keep(inventory.PoolGlobal, c.Name, c.Global.String())
		}
	}
}

// allotCluster gives each gateway its address in the tunnels, each service that
// the cluster offers by tunnel its export address, and callers the addresses
// that they are seen under. All are from one range, so that they are decided on
// together. It returns the export addresses of what the cluster offers, in
// order, not valid where there is none.
func (b *builder) allotCluster(c *Cluster) []netip.Addr {
	exports, offers := inventory.PoolExport+c.Name, b.offers[c]
	wanted := make([]allot.Name, 0, len(c.Gateways)+len(offers))
	for _, g := range c.Running() {
		wanted = append(wanted, c.tunnelName(g))
	}
	for _, s := range offers {
		wanted = append(wanted, allot.Name{Pool: exports, Key: s.Key()})
	}
	wanted = append(append(wanted, b.partExports(c)...), c.egressNames()...)
	got := b.from(allot.Pool{Range: c.Global, Bits: addressBits, Reserved: b.allotPrefixes(c)}, wanted, c.At(".network.globalCIDR"))
	for _, g := range c.Running() {
		if part, ok := got[c.tunnelName(g)]; ok {
			g.Tunnel = part.Addr()
			b.keep(inventory.PoolTunnel+c.Name, g.Name, g.Tunnel.String())
		}
		b.keepGateway(c, g)
	}
	out := make([]netip.Addr, len(offers))
	for i, s := range offers {
		if part, ok := got[allot.Name{Pool: exports, Key: s.Key()}]; ok {
			out[i] = part.Addr()
			b.keep(exports, s.Key(), part.Addr().String())
		}
	}
	b.takePartExports(c, got)
	b.takeEgress(c, got)
	return out
}

// takeExports gives what a cluster offers its export addresses.
func takeExports(c *Cluster, offers []*Service, addresses []netip.Addr) {
	for i, s := range offers {
		if !addresses[i].IsValid() {
			continue
		}
		if s.Exports == nil {
			s.Exports = make(map[string]netip.Addr, len(s.Exporters))
		}
		s.Exports[c.Name] = addresses[i]
	}
}

func (c *Cluster) tunnelName(g *Gateway) allot.Name {
	return allot.Name{Pool: inventory.PoolTunnel + c.Name, Key: g.Name}
}

// keepGateway notes what a gateway's peers are told: all of them the same, or
// each what it was told before.
func (b *builder) keepGateway(c *Cluster, g *Gateway) {
	if g.Key != "" {
		b.keep(inventory.PoolKey+c.Name, g.Name, g.Key)
	}
	if len(g.declared) == 0 && len(g.Addresses) > 0 {
		b.keep(inventory.PoolAddress+c.Name, g.Name, joinAddresses(g.Addresses))
	}
	for _, viewer := range c.Set.Clusters {
		from, t := []string{viewer.Name}, g.told[viewer.Name]
		if g.Key == "" && t.Key != "" {
			b.kept = append(b.kept, inventory.Allocation{Pool: inventory.PoolKey + c.Name, Key: g.Name, Value: t.Key, From: from})
		}
		if len(g.declared)+len(g.Addresses) == 0 && len(t.Addresses) > 0 {
			b.kept = append(b.kept,
				inventory.Allocation{Pool: inventory.PoolAddress + c.Name, Key: g.Name, Value: joinAddresses(t.Addresses), From: from})
		}
	}
}

func joinAddresses(as []netip.Addr) string {
	texts := make([]string, len(as))
	for i, a := range as {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",")
}

// allotVirtual gives each service its clusterset IP and, where a mesh needs an
// address to tell connections apart, each cluster's part of it. Sets that
// share a range share the names in it.
func (b *builder) allotVirtual() {
	byRange := map[netip.Prefix][]*Service{}
	for _, s := range b.fleet.Services {
		byRange[s.Set.Virtual] = append(byRange[s.Set.Virtual], s)
	}
	for _, set := range b.fleet.Sets {
		services := byRange[set.Virtual]
		delete(byRange, set.Virtual)
		wanted := make([]allot.Name, 0, len(services))
		for _, s := range services {
			wanted = append(wanted, virtualName(s.Key()))
			for _, key := range s.parts() {
				wanted = append(wanted, virtualName(key))
			}
		}
		if len(services) > 0 {
			wanted = append(wanted, b.partVirtuals(set.Virtual)...)
		}
		got := b.from(allot.Pool{Range: set.Virtual, Bits: addressBits}, wanted, set.At("spec.addresses.clusterset"))
		for _, name := range wanted {
			if part, ok := got[name]; ok {
				b.keep(name.Pool, name.Key, part.Addr().String())
			}
		}
		for _, s := range services {
			s.Virtual, s.Parts = got[virtualName(s.Key())].Addr(), map[string]netip.Addr{}
			for _, key := range s.parts() {
				s.Parts[strings.TrimPrefix(key, s.Key()+"/")] = got[virtualName(key)].Addr()
			}
		}
		if len(services) > 0 {
			b.takePartVirtuals(set.Virtual, got)
		}
	}
}

func virtualName(key string) allot.Name {
	return allot.Name{Pool: inventory.PoolClusterSet, Key: key}
}

// parts lists the names of the parts of a service that need an address of
// their own: in a mesh, a host with a port that is not HTTP is told from
// others by its address alone.
func (s *Service) parts() []string {
	stream := slices.ContainsFunc(s.Ports, func(p Port) bool { return !p.L7() })
	var out []string
	for _, e := range s.Exporters {
		if stream && e.EastWest == v1alpha1.EastWestIstio {
			out = append(out, s.Key()+"/"+e.Name)
		}
	}
	return out
}
