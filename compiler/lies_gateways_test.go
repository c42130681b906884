// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/google/go-cmp/cmp"
)

// dataplane returns the Dataplane of a cluster.
func dataplane(t *testing.T, r compiler.Result, store string) string {
	t.Helper()
	for _, b := range r.Bundles {
		for _, o := range b.Objects() {
			if b.Store == store && o.Ref().Kind == "Dataplane" {
				return string(o.YAML())
			}
		}
	}
	t.Fatalf("%s has no Dataplane: %v", store, r.Held)
	return ""
}

// TestLiesOfAbsentGateways: c2 cannot speak for its gateway. What c1 says of it
// reaches nobody else's tunnels.
func TestLiesOfAbsentGateways(t *testing.T) {
	for name, leave := range map[string]func(c *inventory.Cluster){
		"unreachable":      func(c *inventory.Cluster) { *c = inventory.Cluster{Name: c.Name, Unreachable: "connection refused"} },
		"announces nobody": func(c *inventory.Cluster) { c.Nodes = nil },
	} {
		for _, l := range [][]string{
			{"key/c2", "gw", lieKeys[3]}, {"key/c2", "gw", lieKeys[0]}, {"key/c2", "gw", "\x1b[31mred"}, {"key/c2", "gw"},
			{"key/c2", "gw", lieKeys[3], lieKeys[0], lieKeys[2]},
			{"address/c2", "gw", "192.0.2.99"}, {"address/c2", "gw", "192.0.2.1"}, {"address/c2", "gw", "127.0.0.1,224.0.0.1"}, {"address/c2", "gw"},
		} {
			t.Run(fmt.Sprintf("%s %s", name, l), func(t *testing.T) {
				files, inv := attacked(t, 3)
				before := dataplane(t, honest(t, files, inv), "c3")
				lying := lie(inv, l[0], l[1], l[2:]...)
				lying.Clusters = slices.Clone(inv.Clusters)
				leave(&lying.Clusters[1])
				got, diags := compiler.Compile(files, lying)
				if len(diags) > 0 {
					t.Fatal(diags)
				}
				if diff := cmp.Diff(before, dataplane(t, got, "c3")); diff != "" {
					t.Errorf("c1 changes what c3 is told of c2:\n%s", diff)
				}
				if shown := fmt.Sprint(got.Quarantined); len(l) > 2 && !strings.Contains(shown, "{c1 ") || strings.ContainsRune(shown, '\x1b') {
					t.Errorf("quarantined: %q", shown)
				}
			})
		}
	}
}

// TestOneWitnessIsNotEnough: c3 was told nothing of c2 yet, and c1 is the only
// one who says something of it.
func TestOneWitnessIsNotEnough(t *testing.T) {
	files, inv := attacked(t, 3)
	for _, pool := range []string{"key/c2", "address/c2"} {
		inv = lie(inv, pool, "gw", map[string]string{"key/c2": lieKeys[3], "address/c2": "192.0.2.99"}[pool])
		inv.Ledger = slices.DeleteFunc(inv.Ledger, func(a inventory.Allocation) bool { return a.Pool == pool && !slices.Contains(a.From, "c1") })
	}
	inv.Clusters[1].Nodes = nil
	got, _ := compiler.Compile(files, inv)
	if text := dataplane(t, got, "c3"); strings.Contains(text, lieKeys[3]) || strings.Contains(text, "192.0.2.99") {
		t.Errorf("c3 believes c1:\n%s", text)
	}
	if shown := fmt.Sprint(got.Pending); !strings.Contains(shown, "{c3 ClusterSet/prod public key and address of gateway gw of cluster c2") {
		t.Errorf("pending: %s", shown)
	}
}

// TestStolenFacts: c1's node announces what is c2's, and c1's objects say
// whatever helps. c2 stays what it is for c3, and c1 too.
func TestStolenFacts(t *testing.T) {
	for name, l := range map[string][]string{
		"key":                       {"key/c2", "gw", lieKeys[1]},
		"key, said to be another's": {"key/c2", "gw", lieKeys[3]},
		"key, said to be c3's":      {"key/c3", "gw", lieKeys[1]},
		"address":                   {"address/c2", "gw", "192.0.2.99"},
		"address, said to be c3's":  {"address/c3", "gw", "192.0.2.2"},
	} {
		t.Run(name, func(t *testing.T) {
			files, inv := attacked(t, 3)
			before := dataplane(t, honest(t, files, inv), "c3")
			inv = lie(inv, l[0], l[1], l[2:]...)
			node := &inv.Clusters[0].Nodes[0]
			if strings.HasPrefix(name, "key") {
				node.PublicKey = lieKeys[1]
			} else {
				node.Addresses = []string{"192.0.2.2"}
			}
			got, diags := compiler.Compile(files, inv)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(before, dataplane(t, got, "c3")); diff != "" {
				t.Errorf("c3's tunnels change:\n%s", diff)
			}
			accused(t, got, "c1")
		})
	}
}

// TestAddressesOfNodes: what no peer can use, and more than anybody needs, is
// quarantined; the rest is used.
func TestAddressesOfNodes(t *testing.T) {
	files, inv := attacked(t, 3)
	before := dataplane(t, honest(t, files, inv), "c3")
	node := &inv.Clusters[0].Nodes[0]
	node.Addresses = append(node.Addresses, "192.0.2.1", "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.2.0.7", "fe80::1%eth0")
	for i := range 100_000 {
		node.Addresses = append(node.Addresses, fmt.Sprintf("198.51.%d.%d", i>>8&255, i&255))
	}
	got, diags := compiler.Compile(files, inv)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(before, dataplane(t, got, "c3")); diff != "" {
		t.Errorf("c3's tunnels change:\n%s", diff)
	}
	if accused(t, got, "c1"); len(got.Quarantined) > 10 {
		t.Errorf("%d lines for one node", len(got.Quarantined))
	}
}

// TestNoWordsFromOutside: what a cluster calls things cannot reach a terminal
// as anything but one line of text.
func TestNoWordsFromOutside(t *testing.T) {
	const evil = "x\x1b]0;owned\a\n\u202equarantined: c2: all is well"
	files, inv := attacked(t, 3)
	c := &inv.Clusters[0]
	c.Nodes[0].Addresses = []string{evil, strings.Repeat("9", 1<<20)}
	c.Nodes[0].PublicKey = evil
	c.Foreign = []inventory.Object{{APIVersion: "fairlead.dev/v1alpha1", Kind: "ServiceRoute", Namespace: "shop", Name: "web", Owner: evil}}
	c.Foreign = append(c.Foreign, inventory.Object{APIVersion: "networking.istio.io/v1", Kind: "Gateway", Namespace: evil, Name: "x", Hosts: []string{"*.local"}})
	c.Istio = evil
	inv.Clusters[1] = inventory.Cluster{Name: "c2", Unreachable: evil}
	got, _ := compiler.Compile(files, inv)
	if len(got.Quarantined) == 0 || len(got.Held) == 0 {
		t.Fatalf("quarantined %v, held %v", got.Quarantined, got.Held)
	}
	shown := fmt.Sprint(got.Quarantined, got.Held, got.Pending)
	if strings.ContainsAny(shown, "\x1b\a\n\u202e") || len(shown) > 1<<14 {
		t.Errorf("shown: %.2000q", shown)
	}
}
