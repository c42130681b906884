// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// parallelRequests bounds the requests to one API server that wait at a time,
// so that a large bundle is not limited by round trips and a small control
// plane is not flooded.
const parallelRequests = 8

// key identifies an object whatever its version.
type key struct {
	kind            schema.GroupKind
	namespace, name string
}

func keyOf(o *unstructured.Unstructured) key {
	return key{o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName()}
}

// RefOf identifies an object of a cluster.
func RefOf(o *unstructured.Unstructured) manifest.Ref {
	return manifest.Ref{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
}

// State is what a cluster holds of one ApplySet.
type State struct {
	// parent is the AppliedBundle; nil where there is none.
	parent  *unstructured.Unstructured
	members map[key]*unstructured.Unstructured
	// recordedClaims are those that the parent names, claimed the objects that
	// these and the bundle's claims are on, as far as they exist.
	recordedClaims []v1alpha1.ClaimedObject
	claimed        map[key]*unstructured.Unstructured
}

// Traffic returns what was recorded at the last apply; nil where nothing was.
func (s State) Traffic() ([]v1alpha1.TrafficShare, error) {
	record, err := s.record()
	return record.Spec.Traffic, err
}

// Members returns what the set holds, sorted.
func (s State) Members() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, o := range s.members {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int { return RefOf(a).Compare(RefOf(b)) })
	return all
}

// parentKind is the kind of the set's parent.
var parentKind = v1alpha1.GroupVersion.WithKind(v1alpha1.KindAppliedBundle)

// Read collects what the cluster holds of the bundle's ApplySet. It sends one
// list request (or some pages) for each kind that the bundle has or the parent
// names, and for each kind and namespace with claims; it writes nothing.
func Read(ctx context.Context, client kube.Client, bundle manifest.Bundle) (State, error) {
	state := State{members: map[key]*unstructured.Unstructured{}, claimed: map[key]*unstructured.Unstructured{}}
	parents, err := client.Resource(parentKind, "")
	if meta.IsNoMatchError(err) {
		return state, fmt.Errorf("the custom resources of %s are not installed (kubectl apply --server-side -f deploy/crds)", v1alpha1.Group)
	}
	if err != nil {
		return state, err
	}
	parent, err := parents.Get(ctx, bundle.ClusterSet, metav1.GetOptions{})
	switch {
	case err == nil:
		state.parent = parent
	case !apierrors.IsNotFound(err):
		return state, err
	}
	record, err := state.record()
	if err != nil {
		return state, err
	}
	state.recordedClaims = record.Spec.Claims
	var lock sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	read := func(into map[key]*unstructured.Unstructured, at extentOf, selector string) {
		group.Go(func() error {
			found, err := list(ctx, client, at, selector)
			lock.Lock()
			defer lock.Unlock()
			for _, o := range found {
				into[keyOf(o)] = o
			}
			return err
		})
	}
	for _, kind := range kindsToList(bundle, state.parent) {
		read(state.members, extentOf{kind: kind}, applyset.LabelPartOf+"="+applyset.ID(bundle.ClusterSet))
	}
	for _, at := range claimedExtents(bundle, state.recordedClaims) {
		read(state.claimed, at, "")
	}
	return state, group.Wait()
}

// extentOf is a kind in one namespace, or in all where there is none.
type extentOf struct {
	kind      schema.GroupVersionKind
	namespace string
}

// claimedExtents returns where the objects with claims are, each once.
func claimedExtents(bundle manifest.Bundle, before []v1alpha1.ClaimedObject) []extentOf {
	var all []extentOf
	seen := map[key]bool{}
	add := func(ref manifest.Ref) {
		ref.Name = ""
		if !seen[keyOfRef(ref)] {
			seen[keyOfRef(ref)] = true
			all = append(all, extentOf{schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind), ref.Namespace})
		}
	}
	for _, c := range bundle.Claims() {
		add(c.Ref())
	}
	for _, c := range before {
		add(refOfRecorded(c))
	}
	return all
}

// kindsToList returns every kind that may have members, each once, in the
// bundle's version where the bundle has it.
func kindsToList(bundle manifest.Bundle, parent *unstructured.Unstructured) []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	seen := map[schema.GroupKind]bool{}
	for _, o := range bundle.Objects() {
		kind := schema.FromAPIVersionAndKind(o.Ref().APIVersion, o.Ref().Kind)
		if !seen[kind.GroupKind()] {
			seen[kind.GroupKind()] = true
			kinds = append(kinds, kind)
		}
	}
	if parent == nil {
		return kinds
	}
	for _, kind := range applyset.ParseKinds(parent.GetAnnotations()[applyset.AnnotationKinds]) {
		if !seen[kind] {
			seen[kind] = true
			kinds = append(kinds, kind.WithVersion(""))
		}
	}
	return kinds
}

func list(ctx context.Context, client kube.Client, at extentOf, selector string) ([]*unstructured.Unstructured, error) {
	resource, err := client.Resource(at.kind, at.namespace)
	if meta.IsNoMatchError(err) {
		// The server has no such kind, hence no such object. Writing one is
		// refused where it is tried.
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []*unstructured.Unstructured
	for o, err := range kube.List(ctx, resource, selector) {
		if err != nil {
			return found, fmt.Errorf("list %s: %w", at.kind.Kind, err)
		}
		found = append(found, o)
	}
	return found, nil
}
