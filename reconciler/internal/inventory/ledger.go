// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// longestValue is longer than any value of the ledger: eight IPv6 addresses.
const longestValue = 8 * 40

// mostValues of one name that one cluster can give. Honest ones give one, or
// while a range changes two.
const mostValues = 4

// ledger reads back what was allotted before from Fairlead's own objects: what
// each cluster's objects say of the cluster itself and of the others, with the
// names of the clusters that say so. Whom to believe where they differ is the
// compiler's to decide. What is said of clusters that are no targets is not
// entered.
func ledger(observed []observation) []inventory.Allocation {
	b := &book{from: map[entry][]string{}, values: map[[3]string]int{}, members: map[string]bool{}}
	for _, o := range observed {
		b.members[o.cluster.Name] = true
	}
	for _, o := range observed {
		b.read(o)
	}
	return b.entries()
}

// entry is what the ledger has of a name.
type entry struct{ pool, key, value string }

// book is a ledger in the making.
type book struct {
	members map[string]bool
	from    map[entry][]string
	// values counts those that a cluster gives of a pool's key.
	values map[[3]string]int
	// cluster whose objects are read.
	cluster string
}

func (b *book) enter(pool, key, value string) {
	if value == "" {
		return
	}
	if len(value) > longestValue {
		value = value[:longestValue]
	}
	e := entry{pool, key, value}
	said, n := b.from[e], [3]string{b.cluster, pool, key}
	if len(said) > 0 && said[len(said)-1] == b.cluster || b.values[n] == mostValues {
		return
	}
	b.from[e] = append(said, b.cluster)
	b.values[n]++
}

func (b *book) entries() []inventory.Allocation {
	var out []inventory.Allocation
	for e, from := range b.from {
		slices.Sort(from)
		out = append(out, inventory.Allocation{Pool: e.pool, Key: e.key, Value: e.value, From: from})
	}
	inventory.SortLedger(out)
	return out
}

// read enters what a cluster's objects say.
func (b *book) read(o observation) {
	b.cluster = o.cluster.Name
	for _, d := range o.own.dataplanes {
		b.enter(inventory.PoolGlobal, b.cluster, string(d.Spec.GlobalCIDR))
		for _, g := range d.Spec.Gateways {
			b.enter(inventory.PoolTunnel+b.cluster, g.Name, string(g.TunnelAddress))
			b.enter(inventory.PoolAddress+b.cluster, g.Name, joined(g.NodeAddresses))
		}
		b.translation(d.Spec.Translation)
		for _, p := range d.Spec.Peers {
			b.peer(p)
		}
	}
	for _, r := range o.own.routes {
		b.route(r)
	}
	for _, v := range o.own.virtual {
		if part := strings.Split(v.key, "/"); len(part) > 2 && !b.members[part[2]] {
			continue
		}
		for _, a := range v.addresses {
			b.virtual(v.key, a)
		}
	}
}

// virtual enters a clusterset IP, of the family that it has.
func (b *book) virtual(key, address string) {
	pool := inventory.PoolClusterSet
	if a, err := netip.ParseAddr(address); err == nil && a.Is6() {
		pool = inventory.PoolClusterSet6
	}
	b.enter(pool, key, address)
}

// virtualOf reads the addresses of a ServiceImport, and of a ServiceEntry for
// the part of a service in one cluster, whose host is
// <service>.<namespace>.svc.<cluster>.<domain>.
func virtualOf(o *unstructured.Unstructured) (virtual, bool) {
	switch o.GetKind() {
	case "ServiceImport":
		ips, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "ips")
		return virtual{o.GetNamespace() + "/" + o.GetName(), ips}, len(ips) > 0
	case "ServiceEntry":
		hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hosts")
		addresses, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "addresses")
		if len(hosts) != 1 || len(addresses) == 0 {
			return virtual{}, false
		}
		labels := strings.Split(hosts[0], ".")
		if len(labels) < 5 || labels[2] != "svc" || !strings.HasPrefix(o.GetName(), "fairlead-"+labels[3]+".") {
			return virtual{}, false
		}
		return virtual{strings.Join([]string{labels[1], labels[0], labels[3]}, "/"), addresses}, true
	}
	return virtual{}, false
}

// translation enters what callers of the cluster are seen under.
func (b *book) translation(t *v1alpha1.CallerTranslation) {
	if t == nil {
		return
	}
	for _, pool := range t.Egress {
		for n, a := range pool.Addresses {
			b.enter(inventory.PoolEgress+b.cluster, pool.Name+"/"+strconv.Itoa(n), string(a))
		}
	}
	for _, p := range t.Prefixes {
		b.enter(inventory.PoolPrefix+b.cluster, string(p.PodCIDR), string(p.Global))
	}
}

// peer enters what is said of another cluster's gateway; a cluster is no peer
// of its own.
func (b *book) peer(p v1alpha1.Peer) {
	if p.Cluster == b.cluster || !b.members[p.Cluster] {
		return
	}
	b.enter(inventory.PoolKey+p.Cluster, p.Gateway, p.PublicKey)
	b.enter(inventory.PoolAddress+p.Cluster, p.Gateway, hosts(p.Endpoints))
	b.enter(inventory.PoolTunnel+p.Cluster, p.Gateway, string(p.TunnelAddress))
	b.enter(inventory.PoolGlobal, p.Cluster, globalOf(p))
}

func (b *book) route(r v1alpha1.ServiceRoute) {
	service := r.Namespace + "/" + r.Spec.Service
	if r.Spec.Export != nil && len(r.Spec.Export.Addresses) > 0 {
		b.enter(inventory.PoolExport+b.cluster, service, string(r.Spec.Export.Addresses[0]))
	}
	if r.Spec.Import == nil {
		return
	}
	for _, a := range r.Spec.Import.Addresses {
		b.virtual(service, string(a))
	}
	for _, tier := range r.Spec.Import.Tiers {
		for _, backend := range tier.Backends {
			if backend.Cluster != b.cluster && b.members[backend.Cluster] {
				b.enter(inventory.PoolExport+backend.Cluster, service, string(backend.Address))
			}
		}
	}
}

func joined(addresses []v1alpha1.Address) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = string(a)
	}
	return strings.Join(texts, ",")
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
