// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler/manifest"
)

// Claims are compared like objects, each fragment's by itself, beside an object
// of the same name.
func TestCompareBundlesWithClaims(t *testing.T) {
	claim := func(name, value string) manifest.Claim {
		ref := manifest.Ref{APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: name}
		return manifest.MustClaim(ref, nil, map[string]string{"a": value})
	}
	object, err := manifest.FromContent(claim("moved", "1").Unstructured().Object)
	if err != nil {
		t.Fatal(err)
	}
	before := manifest.Bundle{Fragments: []manifest.Fragment{
		{ID: "x", Claims: []manifest.Claim{claim("gone", "1"), claim("changed", "1"), claim("moved", "1")}},
		{ID: "y", Claims: []manifest.Claim{claim("changed", "1")}},
		{ID: "held", Claims: []manifest.Claim{claim("kept", "1")}}}}
	after := manifest.Bundle{Fragments: []manifest.Fragment{
		{ID: "x", Objects: []manifest.Object{object}, Claims: []manifest.Claim{claim("changed", "2"), claim("new", "1")}},
		{ID: "y", Claims: []manifest.Claim{claim("changed", "1")}}}}
	got := compareBundles(before, after, []manifest.FragmentID{"held"})
	var lines []string
	for _, a := range got.Actions {
		lines = append(lines, string(a.Op)+" "+a.Name+" "+a.Fragment)
		if a.Name == "changed" && !strings.Contains(a.Diff, "+    a: \"2\"") {
			t.Errorf("the difference does not show the new value:\n%s", a.Diff)
		}
	}
	want := []string{"claimed changed x", "released gone x", "created moved x", "released moved x", "claimed new x"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got.Unchanged != 2 {
		t.Errorf("%d unchanged, want y's and the held one", got.Unchanged)
	}
}
