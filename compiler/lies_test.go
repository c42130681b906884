// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/google/go-cmp/cmp"
)

// lieKeys are the public keys of the gateways of c1, c2 and c3, and one that
// nobody has.
var lieKeys = []string{
	"cHVibGljIGtleSBudW1iZXIgMSBvZiBhIHRlc3QhLS0=", "cHVibGljIGtleSBudW1iZXIgMiBvZiBhIHRlc3QhLS0=",
	"cHVibGljIGtleSBudW1iZXIgMyBvZiBhIHRlc3QhLS0=", "cHVibGljIGtleSBudW1iZXIgNSBvZiBhIHRlc3QhLS0=",
}

// attacked is a set of the given number of clusters whose services are called
// everywhere, and what its members would say if all were honest.
func attacked(t *testing.T, clusters int) (fs.FS, inventory.Inventory) {
	t.Helper()
	var set strings.Builder
	set.WriteString("apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: prod}\nspec:\n  clusters:\n")
	files, inv := fstest.MapFS{}, inventory.Inventory{}
	for i := 1; i <= clusters; i++ {
		fmt.Fprintf(&set, "  - name: c%[1]d\n    network: {podCIDRs: [10.%[1]d.0.0/16], serviceCIDRs: [10.10%[1]d.0.0/16]}\n"+
			"    gateways: [{name: gw, node: n%[1]d}]\n", i)
		c := inventory.Cluster{Name: fmt.Sprintf("c%d", i), Namespaces: []string{"shop"},
			Kinds: []string{"Dataplane.fairlead.dev", "ServiceRoute.fairlead.dev", "ServiceExport.multicluster.x-k8s.io", "ServiceImport.multicluster.x-k8s.io"},
			Nodes: []inventory.Node{{Name: fmt.Sprintf("n%d", i), PublicKey: lieKeys[i-1], Addresses: []string{fmt.Sprintf("192.0.2.%d", i)}}}}
		for _, name := range []string{"api", "web"} {
			c.Services = append(c.Services, inventory.Service{Name: inventory.Name{Namespace: "shop", Name: name},
				Ports: []inventory.Port{{Name: "http", Port: 80, Transport: "TCP"}}})
		}
		inv.Clusters = append(inv.Clusters, c)
	}
	files["set.yaml"] = &fstest.MapFile{Data: []byte(set.String())}
	for name, from := range map[string]string{"api": "[c2]", "web": "[c1, c2]"} {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte("apiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: " + name +
			", namespace: shop}\nspec:\n  service: {name: " + name + "}\n  exports: {from: {clusters: " + from + "}}\n")}
	}
	first := honest(t, files, inv)
	for _, a := range first.Allocations {
		for _, c := range inv.Clusters {
			if a.Pool == inventory.PoolKey+c.Name {
				continue // nobody's own objects hold its key
			}
			a.From = append(a.From, c.Name)
		}
		if owner, ok := strings.CutPrefix(a.Pool, inventory.PoolKey); ok {
			a.From = slices.DeleteFunc([]string{"c1", "c2", "c3"}[:clusters], func(c string) bool { return c == owner })
		}
		inv.Ledger = append(inv.Ledger, a)
	}
	return files, inv
}

func honest(t *testing.T, files fs.FS, inv inventory.Inventory) compiler.Result {
	t.Helper()
	result, diags := compiler.Compile(files, inv)
	if diag.HasErrors(diags) || len(result.Quarantined) > 0 {
		t.Fatal(diags, result.Quarantined)
	}
	return result
}

// value finds what the ledger has.
func value(t *testing.T, inv inventory.Inventory, pool, key string) string {
	t.Helper()
	for _, a := range inv.Ledger {
		if a.Pool == pool && a.Key == key {
			return a.Value
		}
	}
	t.Fatalf("the ledger has no %s %s", pool, key)
	return ""
}

// lie makes c1 say something else of a name than it did.
func lie(inv inventory.Inventory, pool, key string, values ...string) inventory.Inventory {
	out := inv
	out.Ledger = nil
	for _, a := range inv.Ledger {
		if a.Pool == pool && a.Key == key {
			a.From = slices.DeleteFunc(slices.Clone(a.From), func(c string) bool { return c == "c1" })
			if len(a.From) == 0 {
				continue
			}
		}
		out.Ledger = append(out.Ledger, a)
	}
	for _, v := range values {
		out.Ledger = append(out.Ledger, inventory.Allocation{Pool: pool, Key: key, Value: v, From: []string{"c1"}})
	}
	return out
}

// TestLiesOfAllotments: whatever c1's objects say of anybody's allotments, all
// stay where they are, and the lie is quarantined at c1.
func TestLiesOfAllotments(t *testing.T) {
	for _, clusters := range []int{2, 3} {
		files, inv := attacked(t, clusters)
		before := honest(t, files, inv)
		get := func(pool, key string) string { return value(t, inv, pool, key) }
		for name, l := range map[string][]string{
			"global of another":          {"global", "c1", get("global", "c2")},
			"another's global as mine":   {"global", "c2", get("global", "c1")},
			"another's global as free":   {"global", "c2", "242.9.0.0/16"},
			"global as everything":       {"global", "c1", "0.0.0.0/0"},
			"global as the whole range":  {"global", "c1", "242.0.0.0/8"},
			"global out of range":        {"global", "c1", "198.18.0.0/16"},
			"global half":                {"global", "c1", "242.65.0.0/17"},
			"global free":                {"global", "c1", "242.9.0.0/16"},
			"global is no CIDR":          {"global", "c1", "\x1b[2J\nnonsense"},
			"tunnel of another":          {"tunnel/c2", "gw", "242.216.0.1"},
			"own tunnel elsewhere":       {"tunnel/c1", "gw", get("tunnel/c2", "gw")},
			"tunnel as export":           {"export/c2", "shop/web", get("tunnel/c2", "gw")},
			"export of another":          {"export/c1", "shop/web", get("export/c2", "shop/web")},
			"another's export moved":     {"export/c2", "shop/api", "242.216.0.1"},
			"another's exports swapped":  {"export/c2", "shop/api", get("export/c2", "shop/web")},
			"export in a pod CIDR":       {"export/c1", "shop/web", "10.2.0.7"},
			"export of IPv6":             {"export/c1", "shop/web", "2001:db8::7"},
			"export is no address":       {"export/c1", "shop/web", "here"},
			"clusterset of another name": {"clusterset", "shop/api", get("clusterset", "shop/web")},
			"clusterset free":            {"clusterset", "shop/api", "243.0.0.9"},
			"clusterset everything":      {"clusterset", "shop/web", "0.0.0.0"},
		} {
			t.Run(fmt.Sprintf("%d clusters %s", clusters, name), func(t *testing.T) {
				got, diags := compiler.Compile(files, lie(inv, l[0], l[1], l[2:]...))
				if len(diags) > 0 {
					t.Fatal(diags)
				}
				if diff := cmp.Diff(everything(before), everything(compiler.Result{Bundles: got.Bundles, Allocations: got.Allocations,
					Pending: got.Pending, Held: got.Held, Traffic: got.Traffic})); diff != "" {
					t.Errorf("the lie changes something:\n%s", diff)
				}
				accused(t, got, "c1")
			})
		}
	}
}

// accused checks that facts of one cluster, and of no other, are quarantined,
// each in a line that can be shown.
func accused(t *testing.T, got compiler.Result, cluster string) {
	t.Helper()
	if len(got.Quarantined) == 0 {
		t.Error("nothing is quarantined")
	}
	for _, q := range got.Quarantined {
		if q.Cluster != cluster || q.Fact == "" || q.Message == "" {
			t.Errorf("quarantined: %+v", q)
		}
		if strings.ContainsFunc(q.Fact+q.Message, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("control characters in %q", q.Fact+q.Message)
		}
	}
}

// TestLiesCannotFillRanges: with as many claims as a range has places nothing
// moves, and no revision is refused.
func TestLiesCannotFillRanges(t *testing.T) {
	files, inv := attacked(t, 3)
	before := honest(t, files, inv)
	for i := range 1 << 16 {
		inv.Ledger = append(inv.Ledger,
			inventory.Allocation{Pool: "export/c2", Key: fmt.Sprintf("shop/x%d", i), Value: fmt.Sprintf("242.216.%d.%d", i>>8, i&255), From: []string{"c1"}})
	}
	got, diags := compiler.Compile(files, inv)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(everything(before), everything(got)); diff != "" {
		t.Error(diff)
	}
}
