// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

const global = "service.cilium.io/global"

// claiming is a bundle of one fragment that claims annotations of a Service.
func (w world) claiming(name string, annotations map[string]string) manifest.Bundle {
	b := manifest.Bundle{Store: "cluster1", ClusterSet: w.name, API: v1alpha1.ClusterAPI{Context: "cluster1"}}
	if annotations != nil {
		ref := manifest.Ref{APIVersion: "v1", Kind: "Service", Namespace: w.name, Name: name}
		b.Fragments = []manifest.Fragment{{ID: w.claimant(), Claims: []manifest.Claim{manifest.MustClaim(ref, nil, annotations)}}}
	}
	return b
}

func (w world) claimant() manifest.FragmentID {
	return manifest.FragmentID("TrafficPolicy/" + w.name + "/claimant")
}

// annotations returns those of a Service, and who manages it.
func (w world) annotations(t *testing.T, name string) (map[string]string, []string) {
	t.Helper()
	o := w.objects(t)["Service/"+w.name+"/"+name]
	if o == nil {
		t.Fatalf("there is no Service %s", name)
	}
	var managers []string
	for _, entry := range o.GetManagedFields() {
		managers = append(managers, entry.Manager)
	}
	return o.GetAnnotations(), managers
}

// claims returns what the record says is claimed, as "Kind/name by fragment".
func (w world) claims(t *testing.T) []string {
	t.Helper()
	list, _, _ := unstructured.NestedSlice(w.objects(t)["AppliedBundle/"+w.name].Object, "spec", "claims")
	var out []string
	for _, item := range list {
		c := item.(map[string]any)
		out = append(out, c["kind"].(string)+"/"+c["name"].(string)+" by "+c["fragment"].(string))
	}
	return out
}

func TestClaimIsSetAndReleased(t *testing.T) {
	w := newWorld(t)
	before := w.objects(t)["Service/"+w.name+"/theirs"]
	outcome := must(t, w.apply(t, w.claiming("theirs", map[string]string{global: "true", "their": "note"})))
	if got := written(outcome); got != "claimed Service/"+w.name+"/theirs" {
		t.Fatalf("got %s", got)
	}
	have, managers := w.annotations(t, "theirs")
	if diff := cmp.Diff(map[string]string{global: "true", "their": "note"}, have); diff != "" {
		t.Error(diff)
	}
	if managers[0] != "fairlead/"+string(w.claimant()) && managers[len(managers)-1] != "fairlead/"+string(w.claimant()) {
		t.Errorf("nobody reads whose the fields are: %v", managers)
	}
	if got, want := w.claims(t), []string{"Service/theirs by " + string(w.claimant())}; !cmp.Equal(got, want) {
		t.Errorf("recorded %v", got)
	}
	live := w.objects(t)["Service/"+w.name+"/theirs"]
	if live.GetLabels() != nil || !cmp.Equal(live.Object["spec"], before.Object["spec"]) {
		t.Errorf("more than the claimed fields was written: %v", live.Object)
	}
	// What both wanted stays theirs.
	if got := written(must(t, w.apply(t, w.claiming("", nil)))); got != "released Service/"+w.name+"/theirs" {
		t.Fatalf("got %s", got)
	}
	have, managers = w.annotations(t, "theirs")
	if !cmp.Equal(have, map[string]string{"their": "note"}) || strings.Contains(strings.Join(managers, " "), "fairlead") || w.claims(t) != nil {
		t.Errorf("not released: %v by %v, recorded %v", have, managers, w.claims(t))
	}
	w.applyNothing(t, w.claiming("", nil))
}

// applyNothing applies a bundle that the cluster holds already.
func (w world) applyNothing(t *testing.T, b manifest.Bundle, held ...manifest.FragmentID) {
	t.Helper()
	versions := w.versions(t)
	if outcome := w.apply(t, b, held...); outcome.Writes() != 0 || outcome.Recorded {
		t.Errorf("wrote again: %s", written(outcome))
	}
	w.sameVersions(t, versions)
}

func TestContestedClaimIsHeld(t *testing.T) {
	w := newWorld(t)
	must(t, w.apply(t, w.claiming("theirs", map[string]string{global: "true"})))
	w.merge(t, "Service/"+w.name+"/theirs", `{"metadata":{"annotations":{"`+global+`":"false"}}}`)
	wanted := w.claiming("theirs", map[string]string{global: "true", "service.cilium.io/affinity": "local"})
	want := "held Service/" + w.name + `/theirs: annotation ` + global + ` is "false" by somebody-else, and ` + string(w.claimant()) +
		` wants "true": remove theirs, or remove the policy; nothing was changed`
	for range 2 {
		if got := written(must(t, w.apply(t, wanted))); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
	w.applyNothing(t, wanted)
	if have, _ := w.annotations(t, "theirs"); have[global] != "false" || have["service.cilium.io/affinity"] != "" {
		t.Errorf("a contested claim was written in part: %v", have)
	}
	if got, _, _ := unstructured.NestedString(w.objects(t)["AppliedBundle/"+w.name].Object, "spec", "outcome"); got != "Partial" {
		t.Errorf("recorded outcome %s", got)
	}
	// They give in.
	w.merge(t, "Service/"+w.name+"/theirs", `{"metadata":{"annotations":{"`+global+`":null}}}`)
	if got := written(must(t, w.apply(t, wanted))); got != "claimed Service/"+w.name+"/theirs" {
		t.Errorf("got %s", got)
	}
}

// Somebody sets the field between the look and the write: the server refuses,
// and the refusal is explained.
func TestClaimIsContestedAtTheLastMoment(t *testing.T) {
	w := newWorld(t)
	c := &cut{onWrite: func(n int) {
		if n == 2 {
			w.merge(t, "Service/"+w.name+"/theirs", `{"metadata":{"annotations":{"`+global+`":"false"}}}`)
		}
	}}
	outcome := w.through(context.Background(), t, w.claiming("theirs", map[string]string{global: "true"}), c)
	if got := written(must(t, outcome)); !strings.Contains(got, `is "false" by somebody-else`) {
		t.Errorf("got %s", got)
	}
}

func TestClaimOnWhatIsNotThere(t *testing.T) {
	w := newWorld(t)
	wanted := w.claiming("late", map[string]string{global: "true"})
	want := "pending Service/" + w.name + "/late: does not exist; annotation " + global + " will be set on it once it does"
	if got := written(must(t, w.apply(t, wanted))); got != want {
		t.Fatalf("got %s", got)
	}
	w.applyNothing(t, wanted)
	w.cluster.Create(t, "services", w.service("late"))
	if got := written(must(t, w.apply(t, wanted))); got != "claimed Service/"+w.name+"/late" {
		t.Errorf("got %s", got)
	}
	w.delete(t, "Service/"+w.name+"/late")
	if got := written(must(t, w.apply(t, wanted))); got != want {
		t.Errorf("a Service that is gone: got %s", got)
	}
	if got := written(must(t, w.apply(t, w.claiming("", nil)))); got != "" || w.claims(t) != nil {
		t.Errorf("nothing to release: got %s, recorded %v", got, w.claims(t))
	}
}

// An object that goes away between the look and the write is not made again.
func TestClaimDoesNotCreate(t *testing.T) {
	w := newWorld(t)
	c := &cut{onWrite: func(n int) {
		if n == 2 {
			w.delete(t, "Service/"+w.name+"/theirs")
		}
	}}
	outcome := must(t, w.through(context.Background(), t, w.claiming("theirs", map[string]string{global: "true"}), c))
	if got := written(outcome); got != "pending Service/"+w.name+"/theirs: does not exist any more" {
		t.Errorf("got %s", got)
	}
	if w.objects(t)["Service/"+w.name+"/theirs"] != nil {
		t.Error("a claim created the object")
	}
}

func (w world) delete(t *testing.T, name string) {
	t.Helper()
	o := w.objects(t)[name]
	if err := w.resource(t, o).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Two fragments claim of one object; each is set, kept and released by itself,
// and a held one stays as it was.
func TestFragmentsClaimByThemselves(t *testing.T) {
	w := newWorld(t)
	both := w.claiming("theirs", map[string]string{global: "true"})
	second := w.claiming("theirs", map[string]string{"second": "x"}).Fragments[0]
	second.ID = "ClusterSet/production"
	both.Fragments = append(both.Fragments, second)
	if outcome := must(t, w.apply(t, both)); outcome.Count(apply.Claimed) != 2 {
		t.Fatal(written(outcome))
	}
	one := w.claiming("theirs", map[string]string{global: "true"})
	if outcome := must(t, w.apply(t, one, "ClusterSet/production")); outcome.Writes() != 0 {
		t.Error(written(outcome))
	}
	if have, _ := w.annotations(t, "theirs"); have["second"] != "x" {
		t.Errorf("the claim of a held fragment was released: %v", have)
	}
	must(t, w.apply(t, one))
	if have, _ := w.annotations(t, "theirs"); have["second"] != "" || have[global] != "true" {
		t.Errorf("after releasing one: %v", have)
	}
	both.Fragments[1].Claims = w.claiming("theirs", map[string]string{global: "false"}).Fragments[0].Claims
	if got := written(must(t, w.apply(t, both))); !strings.Contains(got, `is "true" by fairlead/`+string(w.claimant())) {
		t.Errorf("two fragments that disagree: %s", got)
	}
}

// Fairlead's own objects are written whole; nothing is claimed of them.
func TestNothingIsClaimedOfOwnObjects(t *testing.T) {
	w := newWorld(t)
	b := w.bundle(t, "before.yaml")
	must(t, w.apply(t, b))
	b.Fragments = append(b.Fragments, w.claiming("cart", map[string]string{global: "true"}).Fragments...)
	if got := written(must(t, w.apply(t, b))); got != "held Service/"+w.name+"/cart: is Fairlead's own object; nothing is claimed of it" {
		t.Errorf("got %s", got)
	}
}

func TestClaimManagerFits(t *testing.T) {
	long := manifest.FragmentID("TrafficPolicy/" + strings.Repeat("n", 63) + "/" + strings.Repeat("p", 100))
	a, b := apply.ClaimManager(long), apply.ClaimManager(long+"2")
	if len(a) > 128 || len(b) > 128 || a == b {
		t.Errorf("%q and %q", a, b)
	}
}
