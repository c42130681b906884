// SPDX-License-Identifier: Apache-2.0

package fleet

import (
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
	for _, s := range b.fleet.Sets {
		b.allotGlobal(s)
		for _, c := range s.Clusters {
			if c.Tunnels() && c.Global.IsValid() {
				b.allotTunnel(c)
				b.allotExports(c)
			}
		}
	}
	b.allotVirtual()
	// Two sets with one range share what they wrote to the ledger.
	inventory.SortLedger(b.fleet.Allocations)
	b.fleet.Allocations = slices.CompactFunc(b.fleet.Allocations, sameAllocation)
}

func sameAllocation(x, y inventory.Allocation) bool {
	return x.Pool == y.Pool && x.Key == y.Key && x.Value == y.Value && slices.Equal(x.From, y.From)
}

// keep writes an allotment to the ledger.
func (b *builder) keep(pool, key, value string) {
	b.fleet.Allocations = append(b.fleet.Allocations, inventory.Allocation{Pool: pool, Key: key, Value: value})
}

// from allots single addresses, or prefixes, and reports a range that is full.
func (b *builder) from(p allot.Pool, wanted []string, at diag.Position) map[string]netip.Prefix {
	got, err := p.Allot(wanted, b.ledger)
	if err != nil {
		b.report(mistake{code: CodeRangeFull, at: at, fix: "choose a larger range"}, "%s", err)
	}
	return got
}

// allotGlobal gives each cluster with tunnels its global CIDR. What git pins
// is not handed out.
func (b *builder) allotGlobal(s *Set) {
	pool := allot.Pool{Name: inventory.PoolGlobal, Range: s.Global, Bits: clusterBits}
	var wanted []string
	for _, c := range s.Clusters {
		switch {
		case c.Global.IsValid():
			pool.Reserved = append(pool.Reserved, c.Global)
		case c.Tunnels():
			wanted = append(wanted, c.Name)
		}
	}
	got := b.from(pool, wanted, s.At("spec.addresses.global"))
	for _, c := range s.Clusters {
		if part, ok := got[c.Name]; ok {
			c.Global = part
		}
		if c.Global.IsValid() {
			b.keep(inventory.PoolGlobal, c.Name, c.Global.String())
		}
	}
}

// allotTunnel gives each gateway its address in the tunnels, and notes what
// its peers are told.
func (b *builder) allotTunnel(c *Cluster) {
	pool := allot.Pool{Name: inventory.PoolTunnel + c.Name, Range: c.Global, Bits: addressBits}
	// Export addresses are from the same range: none that is in use may move.
	for _, a := range b.inv.Ledger {
		if a.Pool == inventory.PoolExport+c.Name {
			if addr, err := netip.ParseAddr(a.Value); err == nil {
				pool.Reserved = append(pool.Reserved, netip.PrefixFrom(addr, addr.BitLen()))
			}
		}
	}
	var wanted []string
	for _, g := range c.Gateways {
		wanted = append(wanted, g.Name)
	}
	got := b.from(pool, wanted, c.At(".network.globalCIDR"))
	for _, g := range c.Gateways {
		if part, ok := got[g.Name]; ok {
			g.Tunnel = part.Addr()
			b.keep(pool.Name, g.Name, g.Tunnel.String())
		}
		if g.Key != "" {
			b.keep(inventory.PoolKey+c.Name, g.Name, g.Key)
		}
		if len(g.declared) == 0 && len(g.Addresses) > 0 {
			b.keep(inventory.PoolAddress+c.Name, g.Name, joinAddresses(g.Addresses))
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

// allotExports gives each service that a cluster offers by tunnel its export
// address there.
func (b *builder) allotExports(c *Cluster) {
	pool := allot.Pool{Name: inventory.PoolExport + c.Name, Range: c.Global, Bits: addressBits}
	for _, g := range c.Gateways {
		if g.Tunnel.IsValid() {
			pool.Reserved = append(pool.Reserved, netip.PrefixFrom(g.Tunnel, addressBits))
		}
	}
	var wanted []string
	for _, s := range b.fleet.Services {
		if s.Set == c.Set && s.ExportedBy(c) {
			wanted = append(wanted, s.Key())
		}
	}
	got := b.from(pool, wanted, c.At(".network.globalCIDR"))
	for _, s := range b.fleet.Services {
		if part, ok := got[s.Key()]; ok && s.Set == c.Set {
			if s.Exports == nil {
				s.Exports = map[string]netip.Addr{}
			}
			s.Exports[c.Name] = part.Addr()
			b.keep(pool.Name, s.Key(), part.Addr().String())
		}
	}
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
		var wanted []string
		for _, s := range services {
			wanted = append(append(wanted, s.Key()), s.parts()...)
		}
		pool := allot.Pool{Name: inventory.PoolClusterSet, Range: set.Virtual, Bits: addressBits}
		got := b.from(pool, wanted, set.At("spec.addresses.clusterset"))
		for _, key := range wanted {
			if part, ok := got[key]; ok {
				b.keep(pool.Name, key, part.Addr().String())
			}
		}
		for _, s := range services {
			s.Virtual, s.Parts = got[s.Key()].Addr(), map[string]netip.Addr{}
			for _, key := range s.parts() {
				s.Parts[strings.TrimPrefix(key, s.Key()+"/")] = got[key].Addr()
			}
		}
	}
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
