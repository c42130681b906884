// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/workload"
)

// scenarios are the examples and a small workload.
func scenarios(t *testing.T) map[string]*fleet.Fleet {
	t.Helper()
	const folder = "../../../policies-example"
	names, err := filepath.Glob(folder + "/*/inventory.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d examples: %v", len(names), err)
	}
	w := workload.New(workload.Small())
	out := map[string]*fleet.Fleet{"workload": resolve(t, w.Files, w.Inventory)}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var inv inventory.Inventory
		if err := yaml.UnmarshalStrict(text, &inv); err != nil {
			t.Fatal(err)
		}
		out[name] = resolve(t, os.DirFS(filepath.Join(filepath.Dir(name), "policies")), inv)
	}
	return out
}

func resolve(t *testing.T, files fs.FS, inv inventory.Inventory) *fleet.Fleet {
	t.Helper()
	docs, ds := source.Load(files)
	f, more := fleet.Build(docs, inv)
	for _, d := range append(ds, more...) {
		t.Log(d)
	}
	return f
}

// What is planned at once is what is planned service by service.
func TestServicesArePlannedAlone(t *testing.T) {
	for name, f := range scenarios(t) {
		want, wantDiags := Build(f)
		got, gotDiags := Shared(f)
		planner := NewPlanner(f.Sets)
		for _, s := range f.Services {
			if !Alone(s) {
				continue
			}
			plans, ds := planner.Service(s)
			gotDiags = append(gotDiags, ds...)
			for _, p := range plans {
				i := slices.IndexFunc(got, func(q Plan) bool { return q.Store == p.Store && q.ClusterSet == p.ClusterSet })
				got[i] = joined(got[i], p)
			}
		}
		for i := range want {
			want[i].finish()
			got[i].finish()
		}
		same := cmp.Options{cmp.AllowUnexported(Backend{}), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{})}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("%s: another plan:\n%s", name, diff)
		}
		if len(wantDiags) != len(gotDiags) {
			t.Errorf("%s: %d diagnostics instead of %d", name, len(gotDiags), len(wantDiags))
		}
	}
}

// joined puts two plans of one store together.
func joined(a, b Plan) Plan {
	a.Services, a.Routes, a.Parts = append(a.Services, b.Services...), append(a.Routes, b.Routes...), append(a.Parts, b.Parts...)
	a.Pending, a.Held, a.Traffic = append(a.Pending, b.Pending...), append(a.Held, b.Held...), append(a.Traffic, b.Traffic...)
	if a.Mesh != nil && b.Mesh != nil {
		mesh := *a.Mesh
		mesh.Services, mesh.Routes = append(mesh.Services, b.Mesh.Services...), append(mesh.Routes, b.Mesh.Routes...)
		a.Mesh = &mesh
	}
	return a
}
