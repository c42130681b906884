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

// everywhere makes every cluster export web.
func everywhere(t *testing.T, clusters int) (fs.FS, inventory.Inventory) {
	t.Helper()
	files, inv := attacked(t, clusters)
	web := files.(fstest.MapFS)["web.yaml"]
	web.Data = []byte(strings.Replace(string(web.Data), "[c1, c2]", "["+strings.Join([]string{"c1", "c2", "c3"}[:clusters], ", ")+"]", 1))
	return files, inv
}

// routes returns the ServiceRoutes and ServiceImports of a cluster.
func routes(r compiler.Result, store string) string {
	var out strings.Builder
	for _, b := range r.Bundles {
		for _, o := range b.Objects() {
			if b.Store == store && o.Ref().Kind != "Dataplane" {
				out.Write(o.YAML())
			}
		}
	}
	return out.String()
}

// TestLiesOfServices: what c1 says its Service is does not change what the
// others' is, as long as most agree.
func TestLiesOfServices(t *testing.T) {
	for name, lie := range map[string]func(s *inventory.Service){
		"headless":        func(s *inventory.Service) { s.Headless = true },
		"name of a port":  func(s *inventory.Service) { s.Ports[0].Name = "smtp" },
		"odd port name":   func(s *inventory.Service) { s.Ports[0].Name = "x\n- {name: y" },
		"odd appProtocol": func(s *inventory.Service) { s.Ports[0].AppProtocol = "h\x1b[2J" },
		"protocol":        func(s *inventory.Service) { s.Ports[0].AppProtocol = "tls" },
		"ports out of it": func(s *inventory.Service) {
			s.Ports = append(s.Ports, inventory.Port{Port: 0}, inventory.Port{Port: 1 << 20}, inventory.Port{Port: -1})
		},
		"an external name": func(s *inventory.Service) { s.ExternalName = true },
	} {
		t.Run(name, func(t *testing.T) {
			files, inv := everywhere(t, 3)
			before := honest(t, files, inv)
			inv.Clusters[0].Services = slices.Clone(inv.Clusters[0].Services)
			web := &inv.Clusters[0].Services[1]
			web.Ports = slices.Clone(web.Ports)
			lie(web)
			got, diags := compiler.Compile(files, inv)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			for _, store := range []string{"c2", "c3"} {
				if diff := cmp.Diff(routes(before, store), routes(got, store)); diff != "" {
					t.Errorf("%s changes:\n%s", store, diff)
				}
			}
			if name != "an external name" && name != "name of a port" {
				accused(t, got, "c1")
			}
		})
	}
}

// TestNobodyCanTell: of two exporters one says that the Service is headless. It
// stays as it was applied last, and both are named.
func TestNobodyCanTell(t *testing.T) {
	files, inv := everywhere(t, 2)
	inv.Clusters[0].Services[1].Headless = true
	got, diags := compiler.Compile(files, inv)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	held := fmt.Sprint(got.Held)
	for _, store := range []string{"c1", "c2"} {
		if !strings.Contains(held, "{"+store+" TrafficPolicy/shop/web ") || strings.Contains(routes(got, store), "web") {
			t.Errorf("%s: held %s", store, held)
		}
	}
	if !strings.Contains(held, "c1 says") || !strings.Contains(held, "c2 says") {
		t.Errorf("held %s", held)
	}
}

// TestIdentitiesAreNames: a service account can name nobody of another
// namespace or cluster.
func TestIdentitiesAreNames(t *testing.T) {
	files, inv := example(t, "bookinfo")
	for i := range inv.Clusters {
		for j := range inv.Clusters[i].Services {
			s := &inv.Clusters[i].Services[j]
			s.Workloads = slices.Clone(s.Workloads)
			for _, account := range []string{"x/ns/kube-system/sa/admin", "../../y", "*", "a,b", "", strings.Repeat("a", 300)} {
				if len(s.Workloads) > 0 {
					w := s.Workloads[0]
					w.ServiceAccount = account
					s.Workloads = append(s.Workloads, w)
				}
			}
		}
	}
	got, _ := compiler.Compile(files, inv)
	before, _ := example(t, "bookinfo")
	honestly, _ := compiler.Compile(before, func() inventory.Inventory { _, inv := example(t, "bookinfo"); return inv }())
	if diff := cmp.Diff(fmt.Sprint(fragments(honestly)), fmt.Sprint(fragments(got))); diff != "" {
		t.Errorf("identities:\n%s", diff)
	}
	if len(got.Quarantined) == 0 {
		t.Error("nothing is quarantined")
	}
}

// TestOneServiceIsBounded: what c1's Service has, others' objects list.
func TestOneServiceIsBounded(t *testing.T) {
	files, inv := example(t, "bookinfo")
	for i := range inv.Clusters[0].Services {
		s := &inv.Clusters[0].Services[i]
		s.Ports, s.Workloads = slices.Clone(s.Ports), slices.Clone(s.Workloads)
		for n := range 60_000 {
			s.Ports = append(s.Ports, inventory.Port{Name: fmt.Sprintf("http-%d", n), Port: int32(n + 1), Transport: "TCP"}, inventory.Port{Name: "Odd", Port: 1})
			s.Workloads = append(s.Workloads, inventory.Workload{Labels: map[string]string{"app": s.Name.Name, "version": "v1"},
				ServiceAccount: fmt.Sprintf("a%d", n), Sidecar: true}, inventory.Workload{ServiceAccount: fmt.Sprint("/", n)})
		}
	}
	got, diags := compiler.Compile(files, inv)
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	for _, b := range got.Bundles {
		for _, o := range b.Objects() {
			if n := len(o.YAML()); n > 1<<20 {
				t.Errorf("%s in %s has %d bytes", o.Ref(), b.Store, n)
			}
		}
	}
	if n := len(got.Quarantined); n == 0 || n > 200 {
		t.Errorf("%d facts are quarantined", n)
	}
}
