// SPDX-License-Identifier: Apache-2.0

package policiesexample

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what came out to golden, and remove what no longer comes out")

// rest is everything of a result that is not a bundle.
type rest struct {
	Digests     map[string]string      `json:"digests"`
	Allocations []inventory.Allocation `json:"allocations,omitempty"`
	Pending     []compiler.Pending     `json:"pending,omitempty"`
	Held        []compiler.Held        `json:"held,omitempty"`
	Quarantined []compiler.Quarantined `json:"quarantined,omitempty"`
	Traffic     []compiler.Traffic     `json:"traffic,omitempty"`
	Diagnostics []string               `json:"diagnostics,omitempty"`
}

// folders lists the scenarios.
func folders(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	if len(out) == 0 {
		t.Fatal("there is no scenario")
	}
	return out
}

// load reads what a scenario compiles.
func load(t testing.TB, folder string) (fs.FS, inventory.Inventory) {
	t.Helper()
	var inv inventory.Inventory
	text, err := os.ReadFile(filepath.Join(folder, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	return os.DirFS(filepath.Join(folder, "policies")), inv
}

// render returns the files that a result is compared by.
func render(t testing.TB, folder string) map[string]string {
	t.Helper()
	files, inv := load(t, folder)
	result, diags := compiler.Compile(files, inv)
	r := rest{Digests: map[string]string{}, Allocations: result.Allocations, Pending: result.Pending, Held: result.Held,
		Quarantined: result.Quarantined, Traffic: result.Traffic}
	for _, d := range diags {
		r.Diagnostics = append(r.Diagnostics, d.String())
	}
	out := map[string]string{}
	for _, b := range result.Bundles {
		r.Digests[b.Store] = b.Digest()
		out[b.Store+".yaml"] = string(b.YAML())
	}
	text, err := yaml.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out["result.yaml"] = string(text)
	return out
}

func TestExamples(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			got := render(t, folder)
			golden := filepath.Join(folder, "golden")
			if *update {
				write(t, golden, got)
			}
			for name, text := range got {
				want, err := os.ReadFile(filepath.Join(golden, name))
				if err != nil {
					t.Errorf("%v (run with -update to write it)", err)
				} else if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
					t.Errorf("%s:\n%s", name, diff)
				}
			}
			entries, err := os.ReadDir(golden)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if _, ok := got[e.Name()]; !ok {
					t.Errorf("golden/%s no longer comes out (run with -update to remove it)", e.Name())
				}
			}
		})
	}
}

// write replaces the golden files.
func write(t *testing.T, golden string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(golden); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(golden, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(golden, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, folder := range folders(b) {
		b.Run(folder, func(b *testing.B) {
			files, inv := load(b, folder)
			b.ReportAllocs()
			for b.Loop() {
				if result, _ := compiler.Compile(files, inv); len(result.Bundles) == 0 {
					b.Fatal("nothing came out")
				}
			}
		})
	}
}

// What the traffic tests of a scenario expect is what comes out.
func TestTraffic(t *testing.T) {
	tried := 0
	for _, folder := range folders(t) {
		results, diags := compiler.Test(load(t, folder))
		if diag.HasErrors(diags) {
			t.Errorf("%s: %v", folder, diags)
		}
		for _, r := range results {
			tried++
			for _, d := range r.Failures {
				t.Errorf("%s: %s", folder, d)
			}
		}
	}
	if tried == 0 {
		t.Error("no scenario has a traffic test")
	}
}
