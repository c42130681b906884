// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// scenario is something that compiles, and a cluster with gateways in it.
type scenario struct {
	name   string
	files  fs.FS
	inv    inventory.Inventory
	result compiler.Result
	store  string
}

// root of the source tree.
var root = filepath.Join("..", "..")

// glob finds files of the source tree.
func glob(t testing.TB, pattern ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(append([]string{root}, pattern...)...))
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing at %v: %v", pattern, err)
	}
	return names
}

// scenarios are all stories of the compiler and all examples that compile to
// something that Envoy Gateway reads, once for each cluster where they do.
func scenarios(t testing.TB) []scenario {
	t.Helper()
	var all []scenario
	add := func(name string, files fs.FS, inv inventory.Inventory) {
		result, diags := compiler.Compile(files, inv)
		if diag.HasErrors(diags) {
			return
		}
		for _, b := range result.Bundles {
			if routes(b) {
				all = append(all, scenario{name, files, inv, result, b.Store})
			}
		}
	}
	for _, path := range glob(t, "compiler", "testdata", "*.txtar") {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := fstest.MapFS{}, inventory.Inventory{}
		for _, f := range archive.Files {
			if name, ok := strings.CutPrefix(f.Name, "policies/"); ok {
				files[name] = &fstest.MapFile{Data: f.Data}
			} else if f.Name == "inventory.yaml" {
				inv = observed(t, f.Data)
			}
		}
		add(strings.TrimPrefix(strings.TrimSuffix(filepath.Base(path), ".txtar"), "gatewayapi_"), files, inv)
	}
	for _, path := range glob(t, "policies-example", "*", "inventory.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Dir(path)
		add(filepath.Base(folder), os.DirFS(filepath.Join(folder, "policies")), observed(t, text))
	}
	return all
}

// routes tells whether a bundle has something for Envoy Gateway.
func routes(b manifest.Bundle) bool {
	for _, o := range b.Objects() {
		if strings.HasPrefix(o.Ref().APIVersion, "gateway.") {
			return true
		}
	}
	return false
}

// observed reads an inventory.
func observed(t testing.TB, text []byte) inventory.Inventory {
	t.Helper()
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	return inv
}

// named finds a scenario.
func named(t testing.TB, name string) scenario {
	t.Helper()
	for _, s := range scenarios(t) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no scenario %s", name)
	return scenario{}
}
