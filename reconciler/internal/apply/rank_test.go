// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Who may call is said before a Service is shared, and until it no longer is.
func TestGuardsComeFirstAndGoLast(t *testing.T) {
	service := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web", "namespace": "shop",
		"managedFields": []any{map[string]any{"manager": "fairlead/TrafficPolicy/shop/web", "operation": "Apply",
			"fieldsV1": map[string]any{"f:metadata": map[string]any{"f:annotations": map[string]any{"f:a": map[string]any{}}}}}}}}}
	guard, err := manifest.FromContent(map[string]any{"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": map[string]any{"name": "web", "namespace": "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	ref := RefOf(service)
	fragment := manifest.Fragment{ID: "TrafficPolicy/shop/web", Objects: []manifest.Object{guard},
		Claims: []manifest.Claim{manifest.MustClaim(ref, nil, map[string]string{"b": "x"})}}
	state := State{members: map[key]*unstructured.Unstructured{}, claimed: map[key]*unstructured.Unstructured{keyOf(service): service}}
	coming := NewPlan(state, manifest.Bundle{ClusterSet: "s", Fragments: []manifest.Fragment{fragment}}, nil)
	live := mark(guard, fragment.ID, "s")
	state.members[keyOf(live)] = live
	state.recordedClaims = []v1alpha1.ClaimedObject{recorded(ref, fragment.ID)}
	going := NewPlan(state, manifest.Bundle{ClusterSet: "s"}, nil)
	var got []string
	for _, s := range append(coming.Steps, going.Steps...) {
		got = append(got, string(s.Op())+" "+s.Ref.Kind)
	}
	want := "created CiliumNetworkPolicy, claimed Service, released Service, pruned CiliumNetworkPolicy"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s", strings.Join(got, ", "))
	}
}
