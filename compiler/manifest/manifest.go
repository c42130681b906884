// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Labels and annotations on every object that Fairlead writes.
const (
	// LabelManagedBy and ManagedBy are Kubernetes' recommended label and our value.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "fairlead"
	// AnnotationFragment holds the fragment that the object belongs to.
	AnnotationFragment = "fairlead.dev/fragment"
)

// Object is a Kubernetes object that Fairlead owns whole. Its zero value is
// not valid; make one with New.
type Object struct {
	// content until the object is sealed.
	content map[string]any
	sealed  *sealed
}

// sealed is an object that does not change any more, as few bytes.
type sealed struct {
	ref Ref
	// text is canonical JSON.
	text []byte
	sum  [sha256.Size]byte
}

// New takes over a typed Kubernetes object: status and fields that only a
// server sets are dropped. It fails where the value has no JSON form or lacks
// apiVersion, kind or name.
func New(typed any) (Object, error) {
	content, err := contentOf(typed)
	if err != nil {
		return Object{}, fmt.Errorf("encode %T: %w", typed, err)
	}
	return FromContent(content)
}

// Must is New for values that are known to have a JSON form and a name, such as
// those that emitters make of checked documents. It panics where one has not:
// that is a mistake in the program.
func Must(typed any) Object {
	o, err := New(typed)
	if err != nil {
		panic(err.Error())
	}
	return o
}

// FromContent is New for a value that is JSON-like already. The object keeps
// the map: the caller must not change it any more.
func FromContent(content map[string]any) (Object, error) {
	delete(content, "status")
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, field := range []string{"creationTimestamp", "resourceVersion", "uid", "generation", "managedFields", "selfLink"} {
			delete(metadata, field)
		}
	}
	o := Object{content: content}
	ref := o.Ref()
	if ref.APIVersion == "" || ref.Kind == "" || ref.Name == "" {
		return Object{}, fmt.Errorf("object %s lacks apiVersion, kind or metadata.name", ref)
	}
	return o, nil
}

// Stamp returns the object with the label and the annotation that every object
// of Fairlead carries, in a form that takes little memory. An object that is
// stamped stays as it is.
func (o Object) Stamp(id FragmentID) Object {
	if o.sealed != nil {
		return o
	}
	content := maps.Clone(o.content)
	metadata := clone(content["metadata"])
	labels, annotations := clone(metadata["labels"]), clone(metadata["annotations"])
	labels[LabelManagedBy], annotations[AnnotationFragment] = ManagedBy, string(id)
	metadata["labels"], metadata["annotations"] = labels, annotations
	content["metadata"] = metadata
	// A copy has no room to grow, which it would keep.
	s := &sealed{ref: refOf(content), text: bytes.Clone(writeJSON(nil, content))}
	s.sum = sha256.Sum256(s.text)
	return Object{sealed: s}
}

// clone copies a mapping; one that is not there is empty.
func clone(v any) map[string]any {
	m, _ := v.(map[string]any)
	if m = maps.Clone(m); m == nil {
		m = map[string]any{}
	}
	return m
}

// Ref identifies the object.
func (o Object) Ref() Ref {
	if o.sealed != nil {
		return o.sealed.ref
	}
	return refOf(o.content)
}

func refOf(content map[string]any) Ref {
	var out Ref
	out.APIVersion, _ = content["apiVersion"].(string)
	out.Kind, _ = content["kind"].(string)
	metadata, _ := content["metadata"].(map[string]any)
	out.Namespace, _ = metadata["namespace"].(string)
	out.Name, _ = metadata["name"].(string)
	return out
}

// Unstructured returns a deep copy that may be changed.
func (o Object) Unstructured() *unstructured.Unstructured {
	if o.sealed == nil {
		return &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o.content)}
	}
	return &unstructured.Unstructured{Object: o.sealed.content()}
}

// content reads the object anew.
func (s *sealed) content() map[string]any {
	var content map[string]any
	if err := json.Unmarshal(s.text, &content); err != nil {
		panic(fmt.Sprintf("decode %s, which was encoded here: %v", s.ref, err))
	}
	return content
}

// YAML returns the object's canonical YAML: keys sorted, no trailing document
// mark.
func (o Object) YAML() []byte {
	if o.sealed != nil {
		return toYAML(o.sealed.text)
	}
	return writeYAML(o.content)
}

// appendDigest appends what identifies what the object says.
func (o Object) appendDigest(out []byte) []byte {
	if o.sealed != nil {
		return append(out, o.sealed.sum[:]...)
	}
	sum := sha256.Sum256(writeJSON(nil, o.content))
	return append(out, sum[:]...)
}

// Ref identifies an object in a cluster.
type Ref struct {
	APIVersion, Kind, Namespace, Name string
}

// String returns Kind/namespace/name, without the namespace for cluster-scoped
// objects.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + "/" + r.Name
	}
	return r.Kind + "/" + r.Namespace + "/" + r.Name
}

// Compare orders references by kind, namespace, name and version.
func (r Ref) Compare(o Ref) int {
	// One after the other: most differ in the first.
	if order := cmp.Compare(r.Kind, o.Kind); order != 0 {
		return order
	}
	if order := cmp.Compare(r.Namespace, o.Namespace); order != 0 {
		return order
	}
	return cmp.Or(cmp.Compare(r.Name, o.Name), cmp.Compare(r.APIVersion, o.APIVersion))
}

// FragmentID names a fragment inside its bundle: TrafficPolicy/namespace/name,
// or ClusterSet/name for what belongs to no policy.
type FragmentID string

// Fragment is what one policy asks of one config store.
type Fragment struct {
	ID FragmentID
	// Objects sorted by Ref.
	Objects []Object
	// Claims sorted by Ref, at most one on each object.
	Claims []Claim
}

// Bundle is everything for one config store.
type Bundle struct {
	// Store is the cluster whose API server it is written to.
	Store string
	// ClusterSet that the bundle belongs to.
	ClusterSet string
	// API is the way to the store.
	API v1alpha1.ClusterAPI
	// Fragments sorted by ID.
	Fragments []Fragment
}

// Objects returns every object of the bundle, sorted by Ref.
func (b Bundle) Objects() []Object {
	var all []Object
	for _, f := range b.Fragments {
		all = append(all, f.Objects...)
	}
	slices.SortFunc(all, func(a, b Object) int { return a.Ref().Compare(b.Ref()) })
	return all
}

// YAML returns the objects of the bundle as one stream of documents, and after
// them the claims.
func (b Bundle) YAML() []byte {
	var out []byte
	for _, o := range b.Objects() {
		out = append(out, "---\n"...)
		out = append(out, o.YAML()...)
	}
	for _, c := range b.Claims() {
		out = append(out, "---\n"...)
		out = append(out, c.YAML()...)
	}
	return out
}

// atOnce is how many bytes are hashed together: digests are few bytes each.
const atOnce = 4096

// Digest identifies the content of the bundle: "sha256:" and 64 hexadecimal
// digits. It is made of the digests of its fragments in the order of their IDs,
// and these of those of their objects and claims, so that what did not change is
// neither encoded nor sorted again.
func (b Bundle) Digest() string {
	fragments := b.Fragments
	byID := func(a, b Fragment) int { return cmp.Compare(a.ID, b.ID) }
	if !slices.IsSortedFunc(fragments, byID) {
		fragments = slices.Clone(fragments)
		slices.SortStableFunc(fragments, byID)
	}
	all, sums := sha256.New(), make([]byte, 0, 2*atOnce)
	for _, f := range fragments {
		if len(sums) >= atOnce {
			all.Write(sums)
			sums = sums[:0]
		}
		for _, o := range f.Objects {
			sums = o.appendDigest(sums)
		}
		for _, c := range f.Claims {
			sum := sha256.Sum256(c.YAML())
			sums = append(sums, sum[:]...)
		}
	}
	all.Write(sums)
	return "sha256:" + hex.EncodeToString(all.Sum(nil))
}
