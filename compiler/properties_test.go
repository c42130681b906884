// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const examples = "../policies-example/"

// example reads a scenario.
func example(t *testing.T, name string) (fs.FS, inventory.Inventory) {
	t.Helper()
	text, err := os.ReadFile(examples + name + "/inventory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	return os.DirFS(examples + name + "/policies"), inv
}

// everything renders a result whole.
func everything(r compiler.Result) string {
	var b strings.Builder
	for _, bundle := range r.Bundles {
		fmt.Fprintf(&b, "%s %s %s %s\n%s", bundle.Store, bundle.ClusterSet, bundle.API, bundle.Digest(), bundle.YAML())
	}
	fmt.Fprintf(&b, "%v\n%v\n%v\n%v\n%v\n%v\n", r.Stages, r.Allocations, r.Pending, r.Held, r.Quarantined, r.Traffic)
	return b.String()
}

// shuffled puts the documents of a scenario into files of other names, in
// another order.
func shuffled(t *testing.T, files fs.FS, random *rand.Rand) fs.FS {
	t.Helper()
	var docs [][]byte
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, text)
	}
	random.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	out := fstest.MapFS{}
	for i, doc := range docs {
		name := fmt.Sprintf("%d/%d.yaml", random.IntN(2), i)
		if random.IntN(3) == 0 {
			name = "all.yaml"
		}
		if f := out[name]; f != nil {
			doc = bytes.Join([][]byte{f.Data, doc}, []byte("\n---\n"))
		}
		out[name] = &fstest.MapFile{Data: doc}
	}
	return out
}

func TestSameBytesWhateverTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, name := range []string{"bookinfo", "guestbook"} {
		files, inv := example(t, name)
		first, diags := compiler.Compile(files, inv)
		if diag.HasErrors(diags) {
			t.Fatal(diags)
		}
		for i := range 20 {
			runtime.GOMAXPROCS(1 + i%4)
			moved := inv
			moved.Clusters = slices.Clone(inv.Clusters)
			random.Shuffle(len(moved.Clusters), func(i, j int) {
				moved.Clusters[i], moved.Clusters[j] = moved.Clusters[j], moved.Clusters[i]
			})
			again, _ := compiler.Compile(shuffled(t, files, random), moved)
			if diff := cmp.Diff(everything(first), everything(again)); diff != "" {
				t.Fatalf("%s: another order gives something else:\n%s", name, diff)
			}
		}
	}
}

// fragments indexes what every fragment holds.
func fragments(r compiler.Result) map[string]string {
	out := map[string]string{}
	for _, b := range r.Bundles {
		for _, f := range b.Fragments {
			out[b.Store+" "+string(f.ID)] = string(manifest.Bundle{Fragments: []manifest.Fragment{f}}.YAML())
		}
	}
	return out
}

// many is a repository of services in four clusters; the numbers of one
// service differ by the edition of its policy.
func many(edition map[int]int) fs.FS {
	out := fstest.MapFS{"set.yaml": {Data: []byte(`apiVersion: fairlead.dev/v1alpha1
kind: ClusterSet
metadata: {name: prod}
spec:
  clusters:
  - {name: c1, gateways: [{name: gw, node: n1}]}
  - {name: c2, gateways: [{name: gw, node: n2}]}
  - {name: c3, gateways: [{name: gw, node: n3}]}
  - {name: c4, gateways: [{name: gw, node: n4}]}
`)}}
	for service, e := range edition {
		backends := fmt.Sprintf("{cluster: c%d, weight: %d}", 1+service%4, 1+e)
		if e%2 == 1 {
			backends += fmt.Sprintf(", {cluster: c%d, priority: %d}", 1+(service+1)%4, e)
		}
		out[fmt.Sprintf("s%d.yaml", service)] = &fstest.MapFile{Data: fmt.Appendf(nil, `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: p%d, namespace: shop}
spec:
  service: {name: s%d, ports: [{port: 80}]}
  imports: {to: {clusters: [c%d, c%d]}}
  rules: [{backends: [%s]}]
`, service, service, 1+e%4, 1+(service+e+1+e%2)%4, backends)}
		if 1+e%4 == 1+(service+e+1+e%2)%4 {
			delete(out, fmt.Sprintf("s%d.yaml", service))
		}
	}
	return out
}

func TestAChangeTouchesItsOwnFragmentsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	edition, inv := map[int]int{}, inventory.Inventory{}
	before := map[string]string{}
	var ledger []inventory.Allocation
	for range 60 {
		changed := random.IntN(12)
		if _, there := edition[changed]; there && random.IntN(4) == 0 {
			delete(edition, changed)
		} else {
			edition[changed] = random.IntN(6)
		}
		inv.Ledger = ledger
		result, diags := compiler.Compile(many(edition), inv)
		if diag.HasErrors(diags) {
			t.Fatal(diags)
		}
		after := fragments(result)
		mine := fmt.Sprintf(" TrafficPolicy/shop/p%d", changed)
		for key := range merge(before, after) {
			if len(before) > 0 && before[key] != after[key] && !strings.HasSuffix(key, mine) {
				t.Fatalf("a change of p%d touched %s:\n%s", changed, key, cmp.Diff(before[key], after[key]))
			}
		}
		before, ledger = after, result.Allocations
	}
}

func merge(a, b map[string]string) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// A second compile with the ledger of the first changes nothing: it is a fixed
// point.
func TestTheLedgerIsAFixedPoint(t *testing.T) {
	for _, name := range []string{"bookinfo", "guestbook"} {
		files, inv := example(t, name)
		first, _ := compiler.Compile(files, inv)
		inv.Ledger = first.Allocations
		second, _ := compiler.Compile(files, inv)
		if diff := cmp.Diff(everything(first), everything(second)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestEveryObjectSaysWhoseItIs(t *testing.T) {
	for _, name := range []string{"bookinfo", "guestbook"} {
		files, inv := example(t, name)
		result, _ := compiler.Compile(files, inv)
		for _, b := range result.Bundles {
			for _, f := range b.Fragments {
				for _, o := range f.Objects {
					u := o.Unstructured()
					if u.GetLabels()[manifest.LabelManagedBy] != manifest.ManagedBy || u.GetAnnotations()[manifest.AnnotationFragment] != string(f.ID) {
						t.Errorf("%s in %s does not", o.Ref(), b.Store)
					}
					if u.GetKind() == "EnvoyFilter" {
						t.Errorf("%s in %s is an EnvoyFilter", o.Ref(), b.Store)
					}
				}
			}
		}
	}
}

func TestCodesAreOneEach(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range compiler.Codes() {
		if seen[c.ID] || c.Title == "" || c.Doc == "" || len(c.ID) != len("FL1000") {
			t.Errorf("code %+v is not well described, or stands twice", c)
		}
		seen[c.ID] = true
	}
}
