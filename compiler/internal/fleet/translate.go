// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// EgressPool is addresses that some callers of a cluster are seen under.
type EgressPool struct {
	// Name is empty for the pool of the whole cluster, which comes last.
	Name       string
	Namespaces []string
	Labels     map[string]string
	Addresses  []netip.Addr
}

// PrefixPair is a range of pods and the part of the global CIDR that it is seen
// under, address by address.
type PrefixPair struct{ Pods, Global netip.Prefix }

// Hidden lists the clusters in which addresses of this one's pods are somebody
// else's: its own pods', or those of a cluster that it is joined with besides.
// Nothing may be sent to them that is not translated.
func (c *Cluster) Hidden() []*Cluster {
	var out []*Cluster
	for _, other := range c.Joined {
		if other != c && c.Tunnels() && other.Tunnels() && c.Set.Translate != v1alpha1.TranslateNone && slices.ContainsFunc(other.Joined, c.overlaps) {
			out = append(out, other)
		}
	}
	return out
}

// checkEgress finds what a set gets wrong about egress addresses.
func (b *builder) checkEgress(s *Set) {
	if s.egress == nil {
		return
	}
	const path = "spec.connectivity.egress"
	if s.Translate != v1alpha1.TranslatePool {
		b.report(mistake{code: CodeEgress, at: s.At(path), fix: "write translate: pool, or remove egress"},
			"callers are seen under egress addresses only with translate: pool, and it is %s", s.Translate)
	}
	named := map[string]string{}
	for i, p := range s.egress.Pools {
		at := fmt.Sprintf("%s.pools[%d]", path, i)
		if first, ok := named[p.Name]; ok {
			b.report(mistake{code: CodeEgress, at: s.At(at + ".name"), fix: "choose another name",
				related: also(s.At(first+".name"), "the first one")}, "there are two egress pools %q", p.Name)
		} else {
			named[p.Name] = at
		}
		if len(p.Namespaces)+len(p.PodLabels) == 0 {
			b.report(mistake{code: CodeEgress, at: s.At(at), fix: "give namespaces or podLabels, or set spec.connectivity.egress.addresses"},
				"egress pool %q is for every caller, as the cluster's own addresses are", p.Name)
		}
		for j, name := range p.Clusters {
			b.lookUp(s.speaks(), name, indexed(at+".clusters", j), "")
		}
	}
}

// pools returns the pools of a cluster without their addresses, and how many
// addresses each has; none where nothing is hidden by addresses of a pool.
func (c *Cluster) pools() ([]EgressPool, []int) {
	if c.Set.Translate != v1alpha1.TranslatePool || len(c.Hidden()) == 0 {
		return nil, nil
	}
	var asked v1alpha1.Egress
	if c.Set.egress != nil {
		asked = *c.Set.egress
	}
	var out []EgressPool
	var counts []int
	for _, p := range asked.Pools {
		if len(p.Clusters) == 0 || slices.Contains(p.Clusters, c.Name) {
			out = append(out, EgressPool{Name: p.Name, Namespaces: p.Namespaces, Labels: p.PodLabels})
			counts = append(counts, int(cmp.Or(p.Addresses, v1alpha1.DefaultEgressPoolAddresses)))
		}
	}
	return append(out, EgressPool{}), append(counts, int(cmp.Or(asked.Addresses, v1alpha1.DefaultEgressAddresses)))
}

// egressName names the nth address of a pool.
func (c *Cluster) egressName(pool string, n int) allot.Name {
	return allot.Name{Pool: inventory.PoolEgress + c.Name, Key: fmt.Sprintf("%s/%d", pool, n)}
}

// egressNames are the names of every egress address of a cluster.
func (c *Cluster) egressNames() []allot.Name {
	var out []allot.Name
	pools, counts := c.pools()
	for i, p := range pools {
		for n := range counts[i] {
			out = append(out, c.egressName(p.Name, n))
		}
	}
	return out
}

// takeEgress fills the pools with what was allotted.
func (b *builder) takeEgress(c *Cluster, got map[allot.Name]netip.Prefix) {
	pools, counts := c.pools()
	for i := range pools {
		for n := range counts[i] {
			name := c.egressName(pools[i].Name, n)
			if part, ok := got[name]; ok {
				pools[i].Addresses = append(pools[i].Addresses, part.Addr())
				b.keep(name.Pool, name.Key, part.Addr().String())
			}
		}
	}
	c.Egress = pools
}

// allotPrefixes gives each range of pods a part of the global CIDR where pods
// are translated one to one, the largest first.
func (b *builder) allotPrefixes(c *Cluster) []netip.Prefix {
	if c.Set.Translate != v1alpha1.TranslatePrefix || len(c.Hidden()) == 0 {
		return nil
	}
	// What does not fit is reported where room is checked.
	fits := func(p netip.Prefix) bool { return p.Addr().Is4() && p.Bits() >= c.Global.Bits() }
	pods := slices.DeleteFunc(slices.Clone(c.Pods), func(p netip.Prefix) bool { return !fits(p) })
	slices.SortFunc(pods, func(x, y netip.Prefix) int {
		return cmp.Or(cmp.Compare(x.Bits(), y.Bits()), x.Addr().Compare(y.Addr()))
	})
	var used []netip.Prefix
	for _, p := range pods {
		name := allot.Name{Pool: inventory.PoolPrefix + c.Name, Key: p.String()}
		got := b.from(allot.Pool{Range: c.Global, Bits: p.Bits(), Reserved: used}, []allot.Name{name}, c.At(".network.globalCIDR"))
		if part, ok := got[name]; ok {
			used = append(used, part)
			c.Mapped = append(c.Mapped, PrefixPair{p, part})
			b.keep(name.Pool, name.Key, part.String())
		}
	}
	return used
}
