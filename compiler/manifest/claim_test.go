// SPDX-License-Identifier: Apache-2.0

package manifest

import "testing"

var web = Ref{APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: "web"}

func TestClaimIsOnlyTheClaimedFields(t *testing.T) {
	c := MustClaim(web, nil, map[string]string{"b": "2"}).With(MustClaim(web, map[string]string{"l": "x"}, map[string]string{"a": "1", "b": "3"}))
	want := `# claim: these fields of an object that somebody else owns
apiVersion: v1
kind: Service
metadata:
  annotations:
    a: "1"
    b: "3"
  labels:
    l: x
  name: web
  namespace: shop
`
	if got := string(c.YAML()); got != want {
		t.Errorf("got\n%s", got)
	}
	if c.Ref() != web {
		t.Errorf("ref %v", c.Ref())
	}
}

func TestWhatIsNoClaim(t *testing.T) {
	if _, err := NewClaim(web, nil, nil); err == nil {
		t.Error("a claim of nothing was taken")
	}
	if _, err := NewClaim(Ref{Kind: "Service"}, map[string]string{"l": "x"}, nil); err == nil {
		t.Error("a claim on nothing was taken")
	}
	defer func() {
		if recover() == nil {
			t.Error("a mistake in the program went unnoticed")
		}
	}()
	MustClaim(Ref{}, nil, nil)
}

// A claim and an object of the same fields are two things, and each claim
// counts in the digest.
func TestClaimsInTheDigest(t *testing.T) {
	labels := map[string]string{"l": "x"}
	owned, err := FromContent(MustClaim(web, labels, nil).Unstructured().Object)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, f := range map[string]Fragment{
		"nothing": {}, "object": {Objects: []Object{owned}}, "claim": {Claims: []Claim{MustClaim(web, labels, nil)}},
		"other value": {Claims: []Claim{MustClaim(web, map[string]string{"l": "y"}, nil)}},
	} {
		digest := Bundle{Fragments: []Fragment{f}}.Digest()
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[digest] = name
	}
}
