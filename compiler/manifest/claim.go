// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Claim is a few labels and annotations of an object that somebody else owns,
// such as an annotation on a user's Service. Nothing else of the object is ever
// written: it is neither created nor removed, and it carries no mark of
// Fairlead but the claimed fields. Its zero value is not valid; make one with
// NewClaim.
type Claim struct {
	content map[string]any
}

// NewClaim claims labels and annotations of the object that ref names. It fails
// where ref lacks apiVersion, kind or name, or nothing is claimed.
func NewClaim(ref Ref, labels, annotations map[string]string) (Claim, error) {
	if ref.APIVersion == "" || ref.Kind == "" || ref.Name == "" {
		return Claim{}, fmt.Errorf("claim on %s lacks apiVersion, kind or name", ref)
	}
	if len(labels)+len(annotations) == 0 {
		return Claim{}, fmt.Errorf("claim on %s claims nothing", ref)
	}
	u := unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion(ref.APIVersion)
	u.SetKind(ref.Kind)
	u.SetNamespace(ref.Namespace)
	u.SetName(ref.Name)
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	return Claim{content: u.Object}, nil
}

// MustClaim is NewClaim for emitters, whose claims are known to be whole. It
// panics where one is not: that is a mistake in the program.
func MustClaim(ref Ref, labels, annotations map[string]string) Claim {
	c, err := NewClaim(ref, labels, annotations)
	if err != nil {
		panic(err.Error())
	}
	return c
}

// Ref identifies the object that fields are claimed of.
func (c Claim) Ref() Ref { return refOf(c.content) }

// Labels returns the claimed labels; nil where there are none.
func (c Claim) Labels() map[string]string { return c.unstructured().GetLabels() }

// Annotations returns the claimed annotations; nil where there are none.
func (c Claim) Annotations() map[string]string { return c.unstructured().GetAnnotations() }

// With returns a claim of what both claim of one object; where they claim the
// same field, the value of o.
func (c Claim) With(o Claim) Claim {
	u := c.Unstructured()
	u.SetLabels(union(u.GetLabels(), o.Labels()))
	u.SetAnnotations(union(u.GetAnnotations(), o.Annotations()))
	return Claim{content: u.Object}
}

func union(a, b map[string]string) map[string]string {
	if a == nil {
		return b
	}
	maps.Copy(a, b)
	return a
}

func (c Claim) unstructured() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: c.content}
}

// Unstructured returns a deep copy that may be changed: what finds the object,
// and the claimed fields.
func (c Claim) Unstructured() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: runtime.DeepCopyJSON(c.content)}
}

// claimMark begins the document of a claim, so that people and digests tell it
// from an object.
const claimMark = "# claim: these fields of an object that somebody else owns\n"

// YAML returns the claim's canonical YAML: a comment that says what it is, then
// the object with nothing but the claimed fields, keys sorted.
func (c Claim) YAML() []byte {
	out, err := yaml.Marshal(c.content)
	if err != nil {
		// Strings in maps always encode.
		panic(fmt.Sprintf("encode the claim on %s: %v", c.Ref(), err))
	}
	return append([]byte(claimMark), out...)
}

// Compare orders claims by the object, then by what they claim of it.
func (c Claim) Compare(o Claim) int {
	return cmp.Or(c.Ref().Compare(o.Ref()), slices.Compare(c.YAML(), o.YAML()))
}

// Claims returns every claim of the bundle, sorted by the object they are on.
func (b Bundle) Claims() []Claim {
	var all []Claim
	for _, f := range b.Fragments {
		all = append(all, f.Claims...)
	}
	slices.SortFunc(all, Claim.Compare)
	return all
}
