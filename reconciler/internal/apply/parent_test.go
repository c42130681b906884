// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// What is held goes where it went; what is gone is not remembered.
func TestKeepHeld(t *testing.T) {
	share := func(policy, backend string) v1alpha1.TrafficShare {
		return v1alpha1.TrafficShare{Policy: policy, Backend: backend, Permille: 1000}
	}
	fresh := []v1alpha1.TrafficShare{share("shop/web", "c1")}
	last := []v1alpha1.TrafficShare{share("shop/web", "c2"), share("shop/held", "c2"), share("shop/gone", "c2")}
	got := KeepHeld(fresh, last, []manifest.FragmentID{"TrafficPolicy/shop/held", "ClusterSet/prod"})
	want := []v1alpha1.TrafficShare{share("shop/web", "c1"), share("shop/held", "c2")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := KeepHeld(fresh, got, []manifest.FragmentID{"TrafficPolicy/shop/held"}); !cmp.Equal(got, again) {
		t.Errorf("a second run records something else: %v", again)
	}
}
