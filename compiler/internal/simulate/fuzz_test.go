// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"io/fs"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/test/edit"
)

// interpreter answers by emitted objects.
type interpreter interface {
	Answer(simulate.World, simulate.Request) simulate.Answer
}

// A scene is a fleet that compiles, and what is asked of it.
type scene struct {
	name     string
	ground   simulate.Ground
	bundles  []manifest.Bundle
	objects  []written
	requests []simulate.Request
	world    simulate.World
}

// written is the content of an object and the bundle that it is in.
type written struct {
	content map[string]any
	bundle  int
}

func writtenTo(bundles []manifest.Bundle) []written {
	var out []written
	for i, b := range bundles {
		for _, o := range b.Objects() {
			out = append(out, written{o.Unstructured().Object, i})
		}
	}
	return out
}

// edited returns the bundles with their objects edited, without those that are
// none any more.
func (s scene) edited(edits []byte) []manifest.Bundle {
	var all []map[string]any
	for _, o := range s.objects {
		all = append(all, runtime.DeepCopyJSON(o.content))
	}
	edit.Objects(all, edits)
	out := make([]manifest.Bundle, len(s.bundles))
	for i, b := range s.bundles {
		out[i] = manifest.Bundle{Store: b.Store, ClusterSet: b.ClusterSet, Fragments: []manifest.Fragment{{ID: "TrafficPolicy/default/p"}}}
	}
	for i, content := range all {
		if o, err := manifest.FromContent(content); err == nil {
			f := &out[s.objects[i].bundle].Fragments[0]
			f.Objects = append(f.Objects, o)
		}
	}
	return out
}

// newScene compiles; false where there are mistakes.
func newScene(files fs.FS, inv inventory.Inventory) (scene, bool) {
	result, diags := compiler.Compile(files, inv)
	if diag.HasErrors(diags) {
		return scene{}, false
	}
	docs, _ := source.Load(files)
	f, _ := fleet.Build(docs, inv)
	out := scene{ground: simulate.GroundOf(f), bundles: result.Bundles, objects: writtenTo(result.Bundles), requests: asked(f)}
	return out, len(out.requests) > 0
}

// asked are requests from every cluster to every service and hostname.
func asked(f *fleet.Fleet) []simulate.Request {
	var out []simulate.Request
	for _, s := range f.Services {
		for _, c := range s.Set.Clusters {
			r := simulate.Request{From: simulate.Caller{Cluster: c.Name, Namespace: s.Namespace, Account: "caller", Labels: map[string]string{"app": "caller"}},
				Method: "GET", Path: "/api/x", Headers: map[string]string{"x-canary": "1"}}
			for _, port := range s.Ports {
				r.Scheme, r.Port = string(port.Protocol), port.Number
				r.Host = s.Name
				out = append(out, r)
				r.Host = s.Name + "." + s.Namespace + ".svc." + s.Set.Domain
				out = append(out, r)
			}
			for _, p := range s.Policies {
				for _, g := range p.Gateways {
					r.From.Gateway, r.From.Namespace, r.Scheme, r.Port = g.Name, g.Namespace, "http", 80
					r.Host = strings.Replace(string(g.Hostnames[0]), "*", "www", 1)
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// stories are the scenes of the examples and of the compiler's stories.
func stories(t testing.TB) []scene {
	t.Helper()
	var out []scene
	names, err := filepath.Glob("../../testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, facts := fstest.MapFS{}, []byte(nil)
		for _, f := range archive.Files {
			if f.Name == "inventory.yaml" {
				facts = f.Data
			} else if inside, ok := strings.CutPrefix(f.Name, "policies/"); ok {
				files[inside] = &fstest.MapFile{Data: f.Data}
			}
		}
		if s, ok := readScene(t, name, files, facts); ok {
			out = append(out, s)
		}
	}
	examples, err := filepath.Glob("../../../policies-example/*/inventory.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range examples {
		facts, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := readScene(t, name, os.DirFS(filepath.Join(filepath.Dir(name), "policies")), facts); ok {
			out = append(out, s)
		}
	}
	return out
}

// readScene compiles with facts from a file; false where there are mistakes.
func readScene(t testing.TB, name string, files fs.FS, facts []byte) (scene, bool) {
	t.Helper()
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(facts, &inv); err != nil {
		t.Fatal(err)
	}
	out, ok := newScene(files, inv)
	out.name = name
	return out, ok
}

// byChance makes a scene of a provider from a number.
func byChance(number uint64, provider string) scene {
	for i := uint64(0); ; i++ {
		m := chance{rand.New(rand.NewPCG(number, i))}.model()
		if !slices.ContainsFunc(m.clusters, func(c cluster) bool { return c.provider == provider }) {
			continue
		}
		if _, ok := compile(&m); !ok {
			continue
		}
		if s, ok := newScene(m.files(), m.inventory()); ok {
			s.world = m.world()
			return s
		}
	}
}

// fuzz looks for objects that make an interpreter panic, or give parts that do
// not add up: what was emitted of stories, of examples and of fleets made by
// chance, edited. A cluster may hold anything under the names of our objects.
func fuzz(f *testing.F, provider string, make func(simulate.Ground, []manifest.Bundle) interpreter) {
	scenes := stories(f)
	for i := range scenes {
		f.Add(uint64(i), []byte{})
		// Everything that can be done to a value, somewhere.
		kind := byte(i % edit.Kinds)
		f.Add(uint64(i), []byte{kind, byte(i * 37), kind, byte(i), byte(i), kind * 91, kind + 3, 7})
	}
	chosen, last := scene{}, uint64(0)
	f.Fuzz(func(t *testing.T, number uint64, edits []byte) {
		s := scene{}
		switch {
		case number < uint64(len(scenes)):
			s = scenes[number]
		case number != last:
			chosen, last = byChance(number, provider), number
			fallthrough
		default:
			s = chosen
		}
		in := make(s.ground, s.edited(edits))
		// A few requests of many; which ones is by chance as well.
		const few = 6
		for i := range min(few, len(s.requests)) {
			r := s.requests[(int(number%997)+i*len(s.requests)/few)%len(s.requests)]
			checkParts(t, r, in.Answer(s.world, r))
		}
	})
}

// checkParts holds the parts of an answer against each other.
func checkParts(t *testing.T, r simulate.Request, a simulate.Answer) {
	t.Helper()
	if a.Verdict == "" || a.Unserved == nil || a.Unserved.Sign() < 0 {
		t.Fatalf("%+v: %+v", r, a)
	}
	whole := new(big.Rat).Set(a.Unserved)
	for _, s := range a.Shares {
		if s.Part.Sign() <= 0 {
			t.Errorf("%+v: a share of %s", r, s.Part)
		}
		whole.Add(whole, s.Part)
	}
	if !whole.IsInt() || whole.Num().Int64() != 1 {
		t.Errorf("%+v: the parts add up to %s: %+v", r, whole, a)
	}
}

func FuzzIstio(f *testing.F) {
	fuzz(f, "istio", func(g simulate.Ground, b []manifest.Bundle) interpreter { return simulate.NewIstio(g, b) })
}

func FuzzL4(f *testing.F) {
	fuzz(f, "fairlead", func(g simulate.Ground, b []manifest.Bundle) interpreter { return simulate.NewL4(g, b) })
}

func FuzzCilium(f *testing.F) {
	fuzz(f, "cilium", func(g simulate.Ground, b []manifest.Bundle) interpreter { return simulate.NewCilium(g, b) })
}

func FuzzEnvoyGateway(f *testing.F) {
	fuzz(f, "envoy-gateway", func(g simulate.Ground, b []manifest.Bundle) interpreter { return simulate.NewEnvoyGateway(g, b) })
}
