// SPDX-License-Identifier: Apache-2.0

package accepted

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
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

// written are the kinds of everything that the compiler can write.
var written = []string{"AuthorizationPolicy", "Backend", "BackendTrafficPolicy", "CiliumNetworkPolicy", "Dataplane", "DestinationRule", "GRPCRoute", "Gateway",
	"HTTPRoute", "HTTPRouteFilter", "PeerAuthentication", "ReferenceGrant", "SecurityPolicy", "Service", "ServiceEntry", "ServiceExport", "ServiceImport",
	"ServiceRoute", "TCPRoute", "TLSRoute", "UDPRoute", "VirtualService"}

// TestEveryObjectIsAccepted compiles every example and every story, and has the
// server judge every object and every claim. One of each kind is judged with a
// field more, too, and must be refused.
func TestEveryObjectIsAccepted(t *testing.T) {
	s := newServer(t)
	for _, c := range append(examples(t), stories(t)...) {
		result, _ := compiler.Compile(c.files, c.inv)
		for _, b := range result.Bundles {
			for _, o := range b.Objects() {
				s.gone(o.Unstructured())
				s.judge(c.name, o.Unstructured())
			}
			for _, o := range b.Claims() {
				s.theirs(o.Unstructured())
				s.judge(c.name, o.Unstructured())
			}
		}
	}
	t.Logf("%d objects and claims of %d kinds", s.judged, len(s.kinds))
	if diff := cmp.Diff(written, slices.Sorted(maps.Keys(s.kinds))); diff != "" {
		t.Errorf("the kinds that were judged (-want +got):\n%s", diff)
	}
}

// refuses reports when a server lets an object pass that has a field of which
// nobody knows.
func (s *server) refuses(o *unstructured.Unstructured) {
	s.t.Helper()
	const field = "spelledWrong"
	wrong := o.DeepCopy()
	if spec, ok := wrong.Object["spec"].(map[string]any); ok {
		spec[field] = "x"
	} else {
		wrong.Object[field] = "x"
	}
	if err := s.dryRun(wrong); err == nil || !strings.Contains(err.Error(), field) {
		s.t.Errorf("%s with an unknown field is not refused for it: %v", o.GetKind(), err)
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
