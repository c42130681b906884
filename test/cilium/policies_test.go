// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

func check(t *testing.T) Check {
	t.Helper()
	c, err := Find(".")
	if err != nil && os.Geteuid() != 0 {
		t.Skipf("needs what make test builds as root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scenario is something to compile.
type scenario struct {
	name  string
	files fs.FS
	inv   inventory.Inventory
}

// scenarios are the examples, and all stories of the compiler.
func scenarios(t *testing.T) []scenario {
	t.Helper()
	root := filepath.Join("..", "..")
	folders, err := filepath.Glob(filepath.Join(root, "policies-example", "*", "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []scenario
	for _, name := range folders {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, scenario{filepath.Base(filepath.Dir(name)), os.DirFS(filepath.Join(filepath.Dir(name), "policies")), read(t, text)})
	}
	stories, err := filepath.Glob(filepath.Join(root, "compiler", "testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stories {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := scenario{name: filepath.Base(name)}
		files := fstest.MapFS{}
		for _, f := range archive.Files {
			if policy, ok := strings.CutPrefix(f.Name, "policies/"); ok {
				files[policy] = &fstest.MapFile{Data: f.Data}
			} else if f.Name == "inventory.yaml" {
				s.inv = read(t, f.Data)
			}
		}
		s.files = files
		all = append(all, s)
	}
	return all
}

func read(t *testing.T, text []byte) inventory.Inventory {
	t.Helper()
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	return inv
}

// hasPolicies tells whether a bundle has policies of Cilium.
func hasPolicies(b manifest.Bundle) bool {
	return slices.ContainsFunc(b.Objects(), func(o manifest.Object) bool { return strings.HasPrefix(o.Ref().APIVersion, "cilium.io/") })
}

// TestPoliciesAreTaken: the agent takes every policy, and none flips pods to
// default deny.
func TestPoliciesAreTaken(t *testing.T) {
	c, judged := check(t), 0
	for _, s := range scenarios(t) {
		result, _ := compiler.Compile(s.files, s.inv)
		for _, b := range result.Bundles {
			if !hasPolicies(b) {
				continue
			}
			verdicts, _, err := c.Judge(t.Context(), b.Store, b.YAML())
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			for _, v := range verdicts {
				judged++
				if !v.OK || v.DefaultDeny {
					t.Errorf("%s in %s: %+v", s.name, b.Store, v)
				}
			}
		}
	}
	if judged < 9 {
		t.Errorf("only %d policies were judged", judged)
	}
}

// TestCheckSaysNo: the judge is one.
func TestCheckSaysNo(t *testing.T) {
	const policy = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: a, namespace: shop}
spec:
  endpointSelector: {}
`
	for text, want := range map[string]Verdict{
		policy + "  ingress: [{fromEntities: [nobody]}]\n": {Error: "Invalid CiliumNetworkPolicy spec: unsupported entity: nobody"},
		policy + "  ingres: []\n":                          {Error: `unknown field "ingres"`},
		policy + "  ingress: [{}]\n":                       {Name: "shop/a", OK: true, DefaultDeny: true},
	} {
		verdicts, _, err := check(t).Judge(t.Context(), "c1", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(verdicts) != 1 || verdicts[0].OK != want.OK || verdicts[0].DefaultDeny != want.DefaultDeny || !strings.Contains(verdicts[0].Error, want.Error) {
			t.Errorf("%s: got %+v", text, verdicts)
		}
	}
	if _, _, err := check(t).Judge(t.Context(), "c1", nil, Flow{Name: "x", Protocol: "TCP", Entity: "nobody", Port: 1}); err == nil {
		t.Error("a flow of nobody was judged")
	}
}
