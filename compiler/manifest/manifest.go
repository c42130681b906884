// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
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
	content map[string]any
}

// New takes over a typed Kubernetes object: status and fields that only a
// server sets are dropped. It fails where the value has no JSON form or lacks
// apiVersion, kind or name.
func New(typed any) (Object, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
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
// of Fairlead carries.
func (o Object) Stamp(id FragmentID) Object {
	u := o.Unstructured()
	labels, annotations := u.GetLabels(), u.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[LabelManagedBy] = ManagedBy
	annotations[AnnotationFragment] = string(id)
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	return Object{content: u.Object}
}

// Ref identifies the object.
func (o Object) Ref() Ref {
	u := unstructured.Unstructured{Object: o.content}
	return Ref{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// Unstructured returns a deep copy that may be changed.
func (o Object) Unstructured() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o.content)}
}

// YAML returns the object's canonical YAML: keys sorted, no trailing document
// mark.
func (o Object) YAML() []byte {
	out, err := yaml.Marshal(o.content)
	if err != nil {
		// The content went through the JSON converter or FromContent; a value
		// that cannot be encoded is a programming error.
		panic(fmt.Sprintf("encode %s: %v", o.Ref(), err))
	}
	return out
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
	return cmp.Or(cmp.Compare(r.Kind, o.Kind), cmp.Compare(r.Namespace, o.Namespace), cmp.Compare(r.Name, o.Name),
		cmp.Compare(r.APIVersion, o.APIVersion))
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
	// Context of the kubeconfig that reaches the store.
	Context string
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

// Digest identifies the content of the bundle: "sha256:" and 64 hexadecimal
// digits.
func (b Bundle) Digest() string {
	sum := sha256.Sum256(b.YAML())
	return "sha256:" + hex.EncodeToString(sum[:])
}
