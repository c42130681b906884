// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"net/netip"
	"strings"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// ledger reads back what was allotted before from Fairlead's own objects. What a
// cluster's own objects say of it comes first; the others' fill in what it
// cannot say, because it is out of sight or because only they hold it.
func ledger(observed []observation) []inventory.Allocation {
	b := &book{seen: map[[2]string]bool{}}
	for _, o := range observed {
		b.own(o)
	}
	for _, o := range observed {
		b.others(o)
	}
	inventory.SortLedger(b.entries)
	return b.entries
}

// book is a ledger in the making; the first value of a name stays.
type book struct {
	entries []inventory.Allocation
	seen    map[[2]string]bool
}

func (b *book) enter(pool, key, value string) {
	if value == "" || b.seen[[2]string{pool, key}] {
		return
	}
	b.seen[[2]string{pool, key}] = true
	b.entries = append(b.entries, inventory.Allocation{Pool: pool, Key: key, Value: value})
}

// own enters what a cluster's objects say of the cluster itself.
func (b *book) own(o observation) {
	cluster := o.cluster.Name
	for _, d := range o.own.dataplanes {
		b.enter(inventory.PoolGlobal, cluster, string(d.Spec.GlobalCIDR))
		for _, g := range d.Spec.Gateways {
			b.enter(inventory.PoolTunnel+cluster, g.Name, string(g.TunnelAddress))
		}
	}
	for _, r := range o.own.routes {
		service := r.Namespace + "/" + r.Spec.Service
		if r.Spec.Export != nil && len(r.Spec.Export.Addresses) > 0 {
			b.enter(inventory.PoolExport+cluster, service, string(r.Spec.Export.Addresses[0]))
		}
		if r.Spec.Import != nil && len(r.Spec.Import.Addresses) > 0 {
			b.enter(inventory.PoolClusterSet, service, string(r.Spec.Import.Addresses[0]))
		}
	}
}

// others enters what a cluster's objects say of the other clusters.
func (b *book) others(o observation) {
	for _, d := range o.own.dataplanes {
		for _, p := range d.Spec.Peers {
			b.enter(inventory.PoolKey+p.Cluster, p.Gateway, p.PublicKey)
			b.enter(inventory.PoolAddress+p.Cluster, p.Gateway, hosts(p.Endpoints))
			b.enter(inventory.PoolTunnel+p.Cluster, p.Gateway, string(p.TunnelAddress))
			b.enter(inventory.PoolGlobal, p.Cluster, globalOf(p))
		}
	}
	for _, r := range o.own.routes {
		if r.Spec.Import == nil {
			continue
		}
		for _, tier := range r.Spec.Import.Tiers {
			for _, backend := range tier.Backends {
				b.enter(inventory.PoolExport+backend.Cluster, r.Namespace+"/"+r.Spec.Service, string(backend.Address))
			}
		}
	}
}

// hosts returns the addresses of endpoints, best first, with a comma between
// them.
func hosts(endpoints []string) string {
	var addresses []string
	for _, e := range endpoints {
		if ap, err := netip.ParseAddrPort(e); err == nil {
			addresses = append(addresses, ap.Addr().String())
		}
	}
	return strings.Join(addresses, ",")
}

// globalOf returns the global CIDR of a peer's cluster: the one of its prefixes
// that its tunnel address is from.
func globalOf(p v1alpha1.Peer) string {
	tunnel, err := netip.ParseAddr(string(p.TunnelAddress))
	if err != nil {
		return ""
	}
	for _, text := range p.Prefixes {
		if prefix, err := netip.ParsePrefix(string(text)); err == nil && prefix.Contains(tunnel) {
			return string(text)
		}
	}
	return ""
}
