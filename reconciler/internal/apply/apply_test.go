// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// world is one test's part of a cluster: a namespace and a ClusterSet of its
// own, so that tests that share an API server do not meet.
type world struct {
	cluster apitest.Cluster
	name    string
}

var worlds struct {
	sync.Mutex
	n int
}

func newWorld(t *testing.T) world {
	t.Helper()
	cluster := apitest.Start(t, 1)[0]
	worlds.Lock()
	worlds.n++
	w := world{cluster, fmt.Sprintf("w%d", worlds.n)}
	worlds.Unlock()
	cluster.Namespace(t, w.name)
	// What the bundles claim fields of.
	for _, name := range []string{"theirs", "other"} {
		cluster.Create(t, "services", w.service(name))
	}
	return w
}

// service is a Service as somebody else makes it.
func (w world) service(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": name, "namespace": w.name, "annotations": map[string]any{"their": "note"}},
		"spec":     map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}}
}

// bundle reads a bundle from testdata; each document's first line names its
// fragment, and says whether it is an object or a claim.
func (w world) bundle(t *testing.T, file string) manifest.Bundle {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	bundle := manifest.Bundle{Store: "cluster1", ClusterSet: w.name, API: v1alpha1.ClusterAPI{Context: "cluster1"}}
	replaced := strings.NewReplacer("$NS", w.name, "production", w.name).Replace(string(text))
	for _, document := range strings.Split(replaced, "---\n") {
		head, _, _ := strings.Cut(document, "\n")
		what, name, _ := strings.Cut(head, ": ")
		id := manifest.FragmentID(name)
		var content map[string]any
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			t.Fatal(err)
		}
		// As the compiler does: integers, not floats.
		o, err := manifest.New(&unstructured.Unstructured{Object: integers(content).(map[string]any)})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(bundle.Fragments, func(f manifest.Fragment) bool { return f.ID == id })
		if i < 0 {
			i = len(bundle.Fragments)
			bundle.Fragments = append(bundle.Fragments, manifest.Fragment{ID: id})
		}
		if what == "# claim" {
			u := o.Unstructured()
			bundle.Fragments[i].Claims = append(bundle.Fragments[i].Claims, manifest.MustClaim(o.Ref(), u.GetLabels(), u.GetAnnotations()))
			continue
		}
		bundle.Fragments[i].Objects = append(bundle.Fragments[i].Objects, o)
	}
	return bundle
}

func integers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = integers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = integers(x[i])
		}
	case float64:
		return int64(x)
	}
	return v
}

func (w world) client(t *testing.T, config *rest.Config) kube.Client {
	t.Helper()
	client, err := kube.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (w world) apply(t *testing.T, bundle manifest.Bundle, held ...manifest.FragmentID) apply.Outcome {
	t.Helper()
	return apply.Apply(context.Background(), apply.Request{
		Client: w.client(t, w.cluster.Config), Bundle: bundle, Revision: "r1", Held: held,
	})
}

// must fails the test when the outcome has a failure.
func must(t *testing.T, o apply.Outcome) apply.Outcome {
	t.Helper()
	if !o.OK() {
		t.Fatalf("apply: %s %v", o.Error, o.Actions)
	}
	return o
}

// written lists the outcome's actions, one per line.
func written(o apply.Outcome) string {
	var lines []string
	for _, a := range o.Actions {
		lines = append(lines, a.String())
	}
	return strings.Join(lines, "\n")
}

// kinds are all that the tests' bundles have, and the parent.
var kinds = []schemaKind{
	{"fairlead.dev/v1alpha1", "AppliedBundle"}, {"fairlead.dev/v1alpha1", "Dataplane"},
	{"fairlead.dev/v1alpha1", "ServiceRoute"}, {"networking.istio.io/v1", "DestinationRule"},
	{"networking.istio.io/v1", "VirtualService"}, {"v1", "Service"},
	{"multicluster.x-k8s.io/v1beta1", "ServiceExport"}, {"multicluster.x-k8s.io/v1beta1", "ServiceImport"},
}

type schemaKind struct{ version, kind string }

// objects returns everything that the cluster holds in the test's world.
func (w world) objects(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	client := w.client(t, w.cluster.Config)
	found := map[string]*unstructured.Unstructured{}
	for _, k := range kinds {
		probe := &unstructured.Unstructured{Object: map[string]any{"apiVersion": k.version, "kind": k.kind}}
		resource, err := client.Resource(probe.GroupVersionKind(), "")
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range kube.List(context.Background(), resource, "") {
			if err != nil {
				t.Fatal(err)
			}
			if o.GetNamespace() == w.name || o.GetName() == w.name {
				found[apply.RefOf(o).String()] = o
			}
		}
	}
	return found
}

// versions returns each object's resource version.
func (w world) versions(t *testing.T) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for name, o := range w.objects(t) {
		versions[name] = o.GetResourceVersion()
	}
	return versions
}

// dump returns everything that the cluster holds in the test's world, without
// what differs from run to run: identities, times and allotted addresses.
func (w world) dump(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	objects := w.objects(t)
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		o := objects[name]
		o.SetUID("")
		o.SetResourceVersion("")
		o.SetGeneration(0)
		o.SetCreationTimestamp(metav1.Time{})
		fields := o.GetManagedFields()
		for i := range fields {
			fields[i].Time = nil
		}
		o.SetManagedFields(fields)
		for _, field := range []string{"clusterIP", "clusterIPs"} {
			unstructured.RemoveNestedField(o.Object, "spec", field)
		}
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "--- %s\n%s", name, text)
	}
	return strings.NewReplacer(applyset.ID(w.name), "applyset", w.name, "world",
		w.bundle(t, "before.yaml").Digest(), "before", w.bundle(t, "after.yaml").Digest(), "after").Replace(out.String())
}

func TestSecondRunWritesNothing(t *testing.T) {
	for _, file := range []string{"before.yaml", "after.yaml"} {
		t.Run(file, func(t *testing.T) {
			w := newWorld(t)
			first := must(t, w.apply(t, w.bundle(t, file)))
			if n := len(w.bundle(t, file).Objects()); first.Count(apply.Created) != n {
				t.Fatalf("first run created %d of %d:\n%s", first.Count(apply.Created), n, written(first))
			}
			versions := w.versions(t)
			second := must(t, w.apply(t, w.bundle(t, file)))
			if len(second.Actions) != 0 || second.Recorded {
				t.Errorf("second run wrote: recorded %v\n%s", second.Recorded, written(second))
			}
			if diff := cmp.Diff(versions, w.versions(t)); diff != "" {
				t.Errorf("resource versions changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestChangeWritesWhatDiffers(t *testing.T) {
	w := newWorld(t)
	must(t, w.apply(t, w.bundle(t, "before.yaml")))
	got := written(must(t, w.apply(t, w.bundle(t, "after.yaml"))))
	want := strings.ReplaceAll(`created ServiceImport/NS/cart
changed Dataplane/NS
changed Service/NS/cart
changed ServiceRoute/NS/cart
pruned DestinationRule/NS/reviews
pruned ServiceExport/NS/cart
pruned VirtualService/NS/reviews
claimed Service/NS/theirs
released Service/NS/other`, "NS", w.name)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	dataplane := w.objects(t)["Dataplane/"+w.name]
	if _, found, _ := unstructured.NestedFieldNoCopy(dataplane.Object, "spec", "mtu"); found {
		t.Error("a field that is not wanted any more is still there")
	}
	record := w.objects(t)["AppliedBundle/"+w.name].GetAnnotations()["applyset.kubernetes.io/contains-group-kinds"]
	if want := "Dataplane.fairlead.dev,Service,ServiceImport.multicluster.x-k8s.io,ServiceRoute.fairlead.dev"; record != want {
		t.Errorf("kinds after the last write: got %s, want %s", record, want)
	}
}
