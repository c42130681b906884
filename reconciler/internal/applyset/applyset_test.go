// SPDX-License-Identifier: Apache-2.0

package applyset_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/reconciler/internal/applyset"
)

// The id was computed by the KEP's words with sha256sum and basenc.
func TestID(t *testing.T) {
	const want = "applyset-SsoE79YbkjlT0T653f9cy8qF7qKeOQUSPMhuTL42V9c-v1"
	if got := applyset.ID("production"); got != want {
		t.Errorf("ID: got %s, want %s", got, want)
	}
}

func TestKindsSurviveTheirAnnotation(t *testing.T) {
	kinds := []schema.GroupKind{{Group: "fairlead.dev", Kind: "ServiceRoute"}, {Kind: "Service"}, {Kind: "Service"}}
	text := applyset.FormatKinds(kinds)
	if text != "Service,ServiceRoute.fairlead.dev" {
		t.Errorf("FormatKinds: got %q", text)
	}
	want := []schema.GroupKind{kinds[1], kinds[0]}
	if got := applyset.ParseKinds(text); !slices.Equal(got, want) {
		t.Errorf("ParseKinds: got %v, want %v", got, want)
	}
	if got := applyset.ParseKinds(""); len(got) != 0 {
		t.Errorf("ParseKinds of nothing: got %v", got)
	}
}

func TestOurs(t *testing.T) {
	for tooling, want := range map[string]bool{"fairlead/v1": true, "fairlead/v2": true, "kubectl/v1.30": false, "": false} {
		if got := applyset.Ours(tooling); got != want {
			t.Errorf("Ours(%q): got %v", tooling, got)
		}
	}
}
