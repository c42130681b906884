// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// The cluster of the gateways in all stories, and the address of its own pods.
const (
	home    = "cluster1"
	homePod = "10.1.0.7"
)

// storyPath is where a story of the compiler lies.
func storyPath(name string) string {
	return filepath.Join("..", "..", "compiler", "testdata", "gatewayapi_"+name+".txtar")
}

// compileStory compiles a story of the compiler.
func compileStory(t testing.TB, path string) (compiler.Result, inventory.Inventory, []diag.Diagnostic) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files, inv := fstest.MapFS{}, inventory.Inventory{}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "policies/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
		if f.Name == "inventory.yaml" {
			if err := yaml.UnmarshalStrict(f.Data, &inv); err != nil {
				t.Fatal(err)
			}
		}
	}
	result, diags := compiler.Compile(files, inv)
	return result, inv, diags
}

// bringUp applies what was compiled, with the Gateways that it is for and the
// Services that its cluster has.
func bringUp(t testing.TB, s *Server, result compiler.Result, inv inventory.Inventory) {
	t.Helper()
	facts, _ := inv.Find(home)
	for _, svc := range facts.Services {
		ports := []any{}
		for _, p := range svc.Ports {
			ports = append(ports, map[string]any{"name": p.Name, "port": int64(p.Port), "targetPort": int64(p.TargetPort), "protocol": p.Transport})
		}
		s.LocalService(t, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{"namespace": svc.Namespace, "name": svc.Name.Name}, "spec": map[string]any{"ports": ports}}}, homePod)
	}
	for _, b := range result.Bundles {
		if b.Store != home {
			continue
		}
		for _, o := range b.Objects() {
			u := o.Unstructured()
			if u.GetKind() == "Service" {
				s.LocalService(t, u, homePod)
			}
			parents, _, _ := unstructured.NestedSlice(u.Object, "spec", "parentRefs")
			for _, p := range parents {
				ref := p.(map[string]any)
				namespace, ok := ref["namespace"].(string)
				if !ok {
					namespace = u.GetNamespace()
				}
				s.Gateway(t, namespace, ref["name"].(string))
			}
		}
	}
	s.ApplyResult(t, result, home)
}

// upStory brings one story up.
func upStory(t *testing.T, name string) (*Server, compiler.Result) {
	t.Helper()
	s := Start(t)
	result, inv, diags := compileStory(t, storyPath(name))
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	bringUp(t, s, result, inv)
	return s, result
}

// Everything that any story emits is let pass by the API server as it stands,
// and accepted by Envoy Gateway with its references resolved.
func TestStories(t *testing.T) {
	s := Start(t)
	paths, err := filepath.Glob(storyPath("*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	accepted := 0
	for _, path := range paths {
		result, inv, diags := compileStory(t, path)
		if diag.HasErrors(diags) {
			continue
		}
		accepted++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { bringUp(t, s, result, inv) })
	}
	if accepted == 0 {
		t.Error("no story compiles")
	}
}
