// SPDX-License-Identifier: Apache-2.0

package accepted

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// root of the source tree.
var root = filepath.Join("..", "..")

// scenario is something to compile.
type scenario struct {
	name  string
	files fs.FS
	inv   inventory.Inventory
}

// glob finds files of the source tree.
func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(append([]string{root}, pattern...)...))
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing at %v: %v", pattern, err)
	}
	return names
}

func parse(t *testing.T, text []byte) inventory.Inventory {
	t.Helper()
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	return inv
}

// examples are the scenarios of policies-example.
func examples(t *testing.T) []scenario {
	var all []scenario
	for _, name := range glob(t, "policies-example", "*", "inventory.yaml") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Dir(name)
		all = append(all, scenario{filepath.Base(folder), os.DirFS(filepath.Join(folder, "policies")), parse(t, text)})
	}
	return all
}

// stories are those of the compiler.
func stories(t *testing.T) []scenario {
	var all []scenario
	for _, name := range glob(t, "compiler", "testdata", "*.txtar") {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, s := fstest.MapFS{}, scenario{name: filepath.Base(name)}
		for _, f := range archive.Files {
			if policy, ok := strings.CutPrefix(f.Name, "policies/"); ok {
				files[policy] = &fstest.MapFile{Data: f.Data}
			} else if f.Name == "inventory.yaml" {
				s.inv = parse(t, f.Data)
			}
		}
		s.files = files
		all = append(all, s)
	}
	return all
}

// TestEveryObjectIsAccepted compiles every example and every story, and has the
// server judge every object and every claim.
func TestEveryObjectIsAccepted(t *testing.T) {
	s := newServer(t)
	wrong := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
		"metadata": map[string]any{"name": "a", "namespace": "default"}, "spec": map[string]any{"endpointSelector": map[string]any{}, "ingres": []any{}}}}
	if err := s.dryRun(wrong); err == nil || !strings.Contains(err.Error(), "ingres") {
		t.Fatalf("an unknown field is not refused: %v", err)
	}
	for _, c := range append(examples(t), stories(t)...) {
		result, _ := compiler.Compile(c.files, c.inv)
		for _, b := range result.Bundles {
			for _, o := range b.Objects() {
				s.judge(c.name, o.Unstructured())
			}
			for _, o := range b.Claims() {
				s.theirs(o.Unstructured())
				s.judge(c.name, o.Unstructured())
			}
		}
	}
	t.Logf("%d objects and claims of %d kinds", s.judged, len(s.kinds))
	if s.judged < 100 {
		t.Errorf("only %d objects were judged", s.judged)
	}
}

// dryRun applies an object without writing it.
func (s *server) dryRun(o *unstructured.Unstructured) error {
	resource, err := s.resource(o)
	if err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	force := true
	_, err = resource.Patch(s.t.Context(), o.GetName(), types.ApplyPatchType, text, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict, FieldManager: "fairlead", Force: &force})
	return err
}
