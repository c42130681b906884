// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
)

// resource returns the administrator's interface to the kind of an object.
func (w world) resource(t *testing.T, o *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	r, err := w.client(t, w.cluster.Config).Resource(o.GroupVersionKind(), o.GetNamespace())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// merge changes a live object as somebody else.
func (w world) merge(t *testing.T, name, patch string) {
	t.Helper()
	o := w.objects(t)[name]
	if o == nil {
		t.Fatalf("no %s", name)
	}
	_, err := w.resource(t, o).Patch(context.Background(), o.GetName(), types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: "somebody-else"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestForeignObjectIsHeldAndUntouched(t *testing.T) {
	w := newWorld(t)
	// No field of it differs from what the bundle wants, so that nothing but
	// its lack of our label can save it.
	foreign := w.cluster.Create(t, "serviceexports", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "multicluster.x-k8s.io/v1beta1", "kind": "ServiceExport",
		"metadata": map[string]any{"name": "cart", "namespace": w.name, "annotations": map[string]any{"their": "note"}},
	}})
	bundle := w.bundle(t, "before.yaml")
	var versions map[string]string
	for _, run := range []string{"first", "second"} {
		outcome := must(t, w.apply(t, bundle))
		if n := outcome.Count(apply.Held); n != 1 {
			t.Fatalf("%s run: %d held, want 1:\n%s", run, n, written(outcome))
		}
		if line := written(outcome); !strings.Contains(line, "held ServiceExport/"+w.name+"/cart: exists and belongs to somebody-else") {
			t.Errorf("%s run does not name the object and its owner:\n%s", run, line)
		}
		if run == "second" {
			w.sameVersions(t, versions)
		}
		versions = w.versions(t)
	}
	live := w.objects(t)
	if got := live["ServiceExport/"+w.name+"/cart"].GetResourceVersion(); got != foreign.GetResourceVersion() {
		t.Errorf("the foreign object was written: version %s, was %s", got, foreign.GetResourceVersion())
	}
	if live["ServiceRoute/"+w.name+"/cart"] == nil {
		t.Error("the rest of the bundle was not applied")
	}
	if got, _, _ := unstructured.NestedString(live["AppliedBundle/"+w.name].Object, "spec", "outcome"); got != "Partial" {
		t.Errorf("recorded outcome %s, want Partial", got)
	}
}

func TestPruneTakesOnlyOurs(t *testing.T) {
	w := newWorld(t)
	must(t, w.apply(t, w.bundle(t, "before.yaml")))
	// A stranger's object of a kind that is pruned, and one of ours that a
	// stranger took over by taking our label away.
	stranger := w.cluster.Create(t, "virtualservices", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": "theirs", "namespace": w.name,
			"annotations": map[string]any{manifest.AnnotationFragment: "TrafficPolicy/" + w.name + "/reviews"}},
		"spec": map[string]any{"hosts": []any{"theirs"}},
	}})
	w.merge(t, "DestinationRule/"+w.name+"/reviews", `{"metadata":{"labels":{"applyset.kubernetes.io/part-of":null}}}`)
	must(t, w.apply(t, w.bundle(t, "after.yaml")))
	live := w.objects(t)
	if o := live["VirtualService/"+w.name+"/theirs"]; o == nil || o.GetResourceVersion() != stranger.GetResourceVersion() {
		t.Error("a stranger's object was touched")
	}
	if live["DestinationRule/"+w.name+"/reviews"] == nil {
		t.Error("an object that was taken over was removed")
	}
	if live["VirtualService/"+w.name+"/reviews"] != nil {
		t.Error("what is not wanted any more is still there")
	}
}

func TestDriftIsMendedAndOthersFieldsStay(t *testing.T) {
	for name, patch := range map[string]string{
		"changed value": `{"spec":{"http":[{"route":[{"destination":{"host":"elsewhere"}}]}]}}`,
		"added to an item": `{"spec":{"http":[{"timeout":"5s","route":[` +
			`{"destination":{"host":"reviews","subset":"v1"},"weight":75},{"destination":{"host":"reviews","subset":"v2"},"weight":25}]}]}}`,
		"added to a list": `{"spec":{"hosts":["reviews","more"]}}`,
		"removed label":   `{"metadata":{"labels":{"team":null}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.apply(t, w.bundle(t, "before.yaml")))
			before := w.dumpOf(t, "VirtualService/"+w.name+"/reviews")
			w.merge(t, "VirtualService/"+w.name+"/reviews", patch)
			got := written(must(t, w.apply(t, w.bundle(t, "before.yaml"))))
			if want := "changed VirtualService/" + w.name + "/reviews"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if after := w.dumpOf(t, "VirtualService/"+w.name+"/reviews"); after != before {
				t.Errorf("not mended:\n%s\nwas:\n%s", after, before)
			}
		})
	}
	w := newWorld(t)
	must(t, w.apply(t, w.bundle(t, "before.yaml")))
	w.merge(t, "Service/"+w.name+"/cart", `{"metadata":{"annotations":{"theirs":"x"}},"spec":{"externalTrafficPolicy":null}}`)
	if got := must(t, w.apply(t, w.bundle(t, "before.yaml"))); got.Writes() != 0 {
		t.Errorf("a field of somebody else counts as drift:\n%s", written(got))
	}
}

// dumpOf returns the labels and the spec of one object.
func (w world) dumpOf(t *testing.T, name string) string {
	t.Helper()
	o := w.objects(t)[name]
	return manifestText(t, map[string]any{"labels": o.GetLabels(), "spec": o.Object["spec"]})
}

func TestHeldFragmentStaysAsItIs(t *testing.T) {
	w := newWorld(t)
	must(t, w.apply(t, w.bundle(t, "before.yaml")))
	versions := w.versions(t)
	held := manifest.FragmentID("TrafficPolicy/" + w.name + "/reviews")
	for range 2 {
		must(t, w.apply(t, w.bundle(t, "after.yaml"), held))
	}
	for _, name := range []string{"DestinationRule/" + w.name + "/reviews", "VirtualService/" + w.name + "/reviews"} {
		if got := w.versions(t)[name]; got != versions[name] {
			t.Errorf("%s of a held fragment: version %q, was %q", name, got, versions[name])
		}
	}
	record := w.objects(t)["AppliedBundle/"+w.name]
	if got, _, _ := unstructured.NestedStringSlice(record.Object, "spec", "held"); len(got) != 1 || got[0] != w.name+"/reviews" {
		t.Errorf("recorded as held: %v", got)
	}
	if kinds := record.GetAnnotations()["applyset.kubernetes.io/contains-group-kinds"]; !strings.Contains(kinds, "VirtualService") {
		t.Errorf("the record does not name the kinds of held objects: %s", kinds)
	}
	must(t, w.apply(t, w.bundle(t, "after.yaml")))
	if w.objects(t)["VirtualService/"+w.name+"/reviews"] != nil {
		t.Error("once not held any more, what is not wanted is still there")
	}
}

func TestAnotherClustersRecordStopsEverything(t *testing.T) {
	w := newWorld(t)
	must(t, w.apply(t, w.bundle(t, "before.yaml")))
	versions := w.versions(t)
	bundle := w.bundle(t, "after.yaml")
	bundle.Store = "cluster2"
	outcome := w.apply(t, bundle)
	if !strings.Contains(outcome.Error, "is cluster cluster1") {
		t.Errorf("error %q does not say which cluster it is", outcome.Error)
	}
	w.sameVersions(t, versions)
}

func TestForeignRecordStopsEverything(t *testing.T) {
	w := newWorld(t)
	w.cluster.Create(t, "appliedbundles", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fairlead.dev/v1alpha1", "kind": "AppliedBundle", "metadata": map[string]any{"name": w.name},
		"spec": map[string]any{"cluster": "cluster1", "revision": "x", "digest": "x", "outcome": "Applied"},
	}})
	versions := w.versions(t)
	if outcome := w.apply(t, w.bundle(t, "before.yaml")); !strings.Contains(outcome.Error, "not written by Fairlead") {
		t.Errorf("error %q", outcome.Error)
	}
	w.sameVersions(t, versions)
}

func TestRefusedObjectDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t)
	bundle := w.bundle(t, "before.yaml")
	for _, f := range bundle.Fragments {
		for i, o := range f.Objects {
			if o.Ref().Kind == "ServiceRoute" {
				u := o.Unstructured()
				_ = unstructured.SetNestedField(u.Object, "not a list", "spec", "ports")
				f.Objects[i], _ = manifest.FromContent(u.Object)
			}
		}
	}
	outcome := w.apply(t, bundle)
	if outcome.OK() || outcome.Count(apply.Failed) != 1 || outcome.Count(apply.Created) != len(bundle.Objects())-1 {
		t.Errorf("outcome:\n%s", written(outcome))
	}
	if mended := must(t, w.apply(t, w.bundle(t, "before.yaml"))); mended.Writes() != 1 {
		t.Errorf("the next run:\n%s", written(mended))
	}
}
