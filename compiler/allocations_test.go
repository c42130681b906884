// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// changing is a repository in motion: which clusters and services there are.
// Its ranges are so small that names collide all the time.
type changing struct {
	clusters map[string]bool
	services map[int]int // by number: what differs between editions
	wide     bool        // the ranges of the set have grown
}

// files writes it down: clusters with tunnels (c…), some with a small global
// CIDR of their own, and meshes with IPv6 (m…).
func (c changing) files() fs.FS {
	var set strings.Builder
	ranges := `global: 242.0.0.0/12, clusterset: 243.0.0.0/25, clustersetIPv6: "fd00::/122"`
	if c.wide {
		ranges = `global: 242.0.0.0/11, clusterset: 243.0.0.0/23, clustersetIPv6: "fd00::/120"`
	}
	// The clusters with tunnels were set up alike, so that callers are seen under
	// addresses of their cluster's.
	fmt.Fprintf(&set, "apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: prod}\nspec:\n  addresses: {%s}\n"+
		"  connectivity: {translate: pool, egress: {addresses: 2, pools: [{name: shop, namespaces: [shop]}]}}\n  clusters:\n", ranges)
	for _, name := range sortedKeys(c.clusters) {
		switch n := name[1]; {
		case name[0] == 'm':
			fmt.Fprintf(&set, "  - {name: %s, providers: {eastWest: istio}, network: {podCIDRs: [\"fd0%c::/64\"]}, istio: {trustDomain: %s.local, eastWestGateway: {addresses: [192.0.2.%c]}}}\n", name, n, name, n)
		case n < '3':
			fmt.Fprintf(&set, "  - {name: %s, network: {podCIDRs: [10.0.0.0/16], globalCIDR: 242.15.%c.0/27}, gateways: [{name: gw, node: n}]}\n", name, n)
		default:
			fmt.Fprintf(&set, "  - {name: %s, network: {podCIDRs: [10.0.0.0/16]}, gateways: [{name: gw, node: n}]}\n", name)
		}
	}
	out := fstest.MapFS{"set.yaml": {Data: []byte(set.String())}}
	for number, edition := range c.services {
		kind := "cm"[number%2 : number%2+1]
		var from []string
		for _, name := range sortedKeys(c.clusters) {
			if strings.HasPrefix(name, kind) && (len(from) == 0 || int(name[1]-'0')%3 != edition%3) {
				from = append(from, name)
			}
		}
		if len(from) > 0 {
			out[fmt.Sprintf("s%d.yaml", number)] = &fstest.MapFile{Data: fmt.Appendf(nil, "apiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\n"+
				"metadata: {name: p%d, namespace: shop}\nspec:\n  service: {name: s%d, ports: [{port: 80}]}\n  exports: {from: {clusters: [%s]}}\n"+
				"  acceptDegradations: [{name: gatewayHealth, provider: istio}, {name: pooledFailover, provider: istio}]\n", number, number, strings.Join(from, ", "))}
		}
	}
	return out
}

func sortedKeys(of map[string]bool) []string {
	var out []string
	for k, there := range of {
		if there {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// step adds or removes something.
func (c changing) step(random *rand.Rand) {
	if random.IntN(4) == 0 {
		name := fmt.Sprintf("%c%d", "cm"[random.IntN(2)], 2+random.IntN(5)) // the first of each kind stays
		c.clusters[name] = !c.clusters[name]
		return
	}
	number := random.IntN(28)
	if _, there := c.services[number]; there && random.IntN(2) == 0 {
		delete(c.services, number)
		return
	}
	c.services[number] = random.IntN(6)
}

// space is what the addresses of a pool are told apart in: those of one
// cluster's global CIDR are of one space.
func space(pool string) string {
	for _, p := range []string{inventory.PoolTunnel, inventory.PoolEgress} {
		if cluster, ok := strings.CutPrefix(pool, p); ok {
			return inventory.PoolExport + cluster
		}
	}
	return pool
}

// grown is the step at which the ranges of the set become larger.
const grown = 30

// TestAddressesStay: over random adds and removes with the ledger carried
// between the steps, nothing that survives ever moves and nothing collides.
func TestAddressesStay(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 12))
		c := changing{clusters: map[string]bool{"c1": true, "c4": true, "m1": true}, services: map[int]int{0: 0, 1: 1}}
		before, pools := map[string]string{}, map[string]int{}
		var ledger []inventory.Allocation
		for n := range 60 {
			if n == grown+1 {
				pools = map[string]int{} // what counts is that each is tried in the grown ranges too
			}
			c.step(random)
			c.wide = n >= grown
			result, diags := compiler.Compile(c.files(), inventory.Inventory{Ledger: ledger})
			if diag.HasErrors(diags) {
				t.Fatalf("seed %d, step %d: %v", seed, n, diags)
			}
			after, taken := map[string]string{}, map[string]netip.Prefix{}
			for _, a := range result.Allocations {
				name := a.Pool + " " + a.Key
				after[name] = a.Value
				kind, _, _ := strings.Cut(a.Pool, "/")
				pools[kind]++
				part := prefixOf(t, a.Value)
				for other, p := range taken {
					if strings.HasPrefix(other, space(a.Pool)+" ") && p.Overlaps(part) {
						t.Fatalf("seed %d, step %d: %s and %s both have %s", seed, n, name, other, a.Value)
					}
				}
				taken[space(a.Pool)+" "+name] = part
				if was, survived := before[name]; survived && was != a.Value {
					t.Fatalf("seed %d, step %d: %s moved from %s to %s", seed, n, name, was, a.Value)
				}
			}
			before, ledger = after, result.Allocations
		}
		if len(pools) < 6 {
			t.Errorf("seed %d: only the pools %v were tried", seed, pools)
		}
	}
}

func prefixOf(t *testing.T, value string) netip.Prefix {
	t.Helper()
	if p, err := netip.ParsePrefix(value); err == nil {
		return p
	}
	a, err := netip.ParseAddr(value)
	if err != nil {
		t.Fatal(err)
	}
	return netip.PrefixFrom(a, a.BitLen())
}
