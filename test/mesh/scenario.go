// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"io/fs"
	"maps"
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
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Scenario is a repository and an inventory, compiled.
type Scenario struct {
	Sets      []v1alpha1.ClusterSet
	Policies  []v1alpha1.TrafficPolicy
	Inventory inventory.Inventory
	Result    compiler.Result

	tracer *compiler.Tracer
	// calls are what the file "calls" of a story, or the one beside the story
	// that is named like the folder, asks for.
	calls []call
	// older: the istiods behave as those before 1.31.
	older bool
	// others are objects of the clusters' owners, by cluster.
	others map[string][]byte
}

// Open reads a scenario from a folder as in policies-example, or from a story
// as in compiler/testdata, and compiles it without error.
func Open(t testing.TB, path string) Scenario {
	t.Helper()
	files, inv := fs.FS(os.DirFS(filepath.Join(path, "policies"))), []byte(nil)
	s := Scenario{others: map[string][]byte{}}
	if strings.HasSuffix(path, ".txtar") {
		files, inv = s.story(t, path)
	} else {
		inv = must(os.ReadFile(filepath.Join(path, "inventory.yaml")))(t)
		s.calls = parseCalls(t, must(os.ReadFile(filepath.Join("testdata", filepath.Base(path)+".calls")))(t))
	}
	if err := yaml.UnmarshalStrict(inv, &s.Inventory); err != nil {
		t.Fatal(err)
	}
	s.documents(t, files)
	result, diags := compiler.Compile(files, s.Inventory)
	for _, d := range diags {
		t.Log(d)
	}
	if len(result.Bundles) == 0 {
		t.Fatalf("%s does not compile", path)
	}
	s.Result = result
	s.tracer, _ = compiler.NewTracer(files, s.Inventory)
	return s
}

// story reads a story. Its calls are in the file calls, and what the owner of a
// cluster has made there in cluster/<name>.yaml.
func (s *Scenario) story(t testing.TB, path string) (fs.FS, []byte) {
	t.Helper()
	archive := must(txtar.ParseFile(path))(t)
	files, inv := fstest.MapFS{}, []byte(nil)
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "policies/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
		if name, ok := strings.CutPrefix(f.Name, "cluster/"); ok {
			s.others[strings.TrimSuffix(name, ".yaml")] = f.Data
		}
		switch f.Name {
		case "inventory.yaml":
			inv = f.Data
		case "calls":
			s.calls = parseCalls(t, f.Data)
		}
	}
	return files, inv
}

// documents reads the kinds that the tests look into.
func (s *Scenario) documents(t testing.TB, files fs.FS) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			var p v1alpha1.TrafficPolicy
			if err := yaml.Unmarshal([]byte(document), &p.TypeMeta); err != nil {
				return err
			}
			switch p.Kind {
			case "TrafficPolicy":
				err = yaml.Unmarshal([]byte(document), &p)
				s.Policies = append(s.Policies, p)
			case "ClusterSet":
				s.Sets = append(s.Sets, v1alpha1.ClusterSet{})
				err = yaml.Unmarshal([]byte(document), &s.Sets[len(s.Sets)-1])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mesh describes the Istio of a cluster with its defaults filled in.
func (s Scenario) mesh(cluster string) v1alpha1.Istio {
	var out v1alpha1.Istio
	for _, set := range s.Sets {
		for _, c := range set.Spec.Clusters {
			if c.Name == cluster && c.Istio != nil {
				out = *c.Istio.DeepCopy()
			}
		}
	}
	if out.RootNamespace == "" {
		out.RootNamespace = v1alpha1.DefaultRootNamespace
	}
	if out.TrustDomain == "" {
		out.TrustDomain = "cluster.local"
	}
	if out.ControlPlane == "" {
		out.ControlPlane = cluster
	}
	if out.Network == "" {
		out.Network = cluster
	}
	if g := out.EastWestGateway; g != nil {
		if len(g.Selector) == 0 {
			g.Selector = map[string]string{"istio": "eastwestgateway"}
		}
		if g.Port == 0 {
			g.Port = 15443
		}
		if g.Service == "" {
			g.Service = v1alpha1.DefaultEastWestService
		}
	}
	return out
}

// clusters are the names of all clusters with a mesh, sorted.
func (s Scenario) clusters() []string {
	var out []string
	for _, set := range s.Sets {
		for _, c := range set.Spec.Clusters {
			if c.Istio != nil {
				out = append(out, c.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// gatewayOf finds the cluster that an address lets in to, empty where it is no
// gateway's.
func (s Scenario) gatewayOf(address string, port int) string {
	for _, c := range s.clusters() {
		g := s.mesh(c).EastWestGateway
		if g != nil && int(g.Port) == port && slices.Contains(g.Addresses, v1alpha1.Address(address)) {
			return c
		}
	}
	return ""
}

// export finds the cluster and the service, as namespace/name, that have an
// export address.
func (s Scenario) export(address string) (cluster, service string) {
	for _, a := range s.Result.Allocations {
		if name, ok := strings.CutPrefix(a.Pool, inventory.PoolExport); ok && a.Value == address {
			return name, a.Key
		}
	}
	return "", ""
}

// siteOf finds the cluster that an endpoint of another one leads to.
func (s Scenario) siteOf(at Socket) string {
	if cluster, _ := s.export(at.Address); cluster != "" {
		return cluster
	}
	return s.gatewayOf(at.Address, at.Port)
}

// has tells whether labels include all wanted ones.
func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// must returns a function that gives the value, or fails the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sortedKeys are the keys of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
