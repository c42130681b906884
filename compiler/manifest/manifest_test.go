// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"strings"
	"testing"
)

func object(t *testing.T, name string) Object {
	t.Helper()
	o, err := FromContent(map[string]any{"apiVersion": "v1", "kind": "Service", "status": map[string]any{"x": "y"},
		"metadata": map[string]any{"name": name, "namespace": "shop", "uid": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestStampLeavesTheOriginalAlone(t *testing.T) {
	o := object(t, "web")
	stamped := o.Stamp("TrafficPolicy/shop/web")
	want := `apiVersion: v1
kind: Service
metadata:
  annotations:
    fairlead.dev/fragment: TrafficPolicy/shop/web
  labels:
    app.kubernetes.io/managed-by: fairlead
  name: web
  namespace: shop
`
	if got := string(stamped.YAML()); got != want {
		t.Errorf("got\n%s", got)
	}
	if strings.Contains(string(o.YAML()), ManagedBy) {
		t.Error("the original was stamped too")
	}
}

func TestWhatIsNoObject(t *testing.T) {
	if _, err := FromContent(map[string]any{"kind": "Service"}); err == nil {
		t.Error("an object without a name was taken")
	}
	if _, err := New(func() {}); err == nil {
		t.Error("a function was encoded")
	}
	defer func() {
		if recover() == nil {
			t.Error("a mistake in the program went unnoticed")
		}
	}()
	Must(map[string]any{})
}

// The digest tells bundles apart, and the order of their fragments does not
// matter.
func TestDigest(t *testing.T) {
	a, b := Fragment{ID: "a", Objects: []Object{object(t, "x")}}, Fragment{ID: "b", Objects: []Object{object(t, "y")}}
	one, two := Bundle{Fragments: []Fragment{a, b}}, Bundle{Fragments: []Fragment{b, a}}
	if one.Digest() != two.Digest() || one.Digest() == (Bundle{Fragments: []Fragment{a}}).Digest() {
		t.Errorf("%s %s", one.Digest(), two.Digest())
	}
}
