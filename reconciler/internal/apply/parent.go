// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// record returns the AppliedBundle that the cluster holds; its zero value where
// there is none.
func (s State) record() (v1alpha1.AppliedBundle, error) {
	var record v1alpha1.AppliedBundle
	if s.parent == nil {
		return record, nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(s.parent.Object, &record); err != nil {
		return record, fmt.Errorf("read AppliedBundle/%s: %w", s.parent.GetName(), err)
	}
	return record, nil
}

// refuse says why nothing may be written to the cluster; empty where it may.
func (s State) refuse(bundle manifest.Bundle) string {
	if s.parent == nil {
		return ""
	}
	name := "AppliedBundle/" + s.parent.GetName()
	if s.parent.GetLabels()[applyset.LabelID] != applyset.ID(bundle.ClusterSet) ||
		!applyset.Ours(s.parent.GetAnnotations()[applyset.AnnotationTooling]) {
		return fmt.Sprintf("%s was not written by Fairlead; remove it to let Fairlead in", name)
	}
	record, err := s.record()
	if err != nil {
		return err.Error()
	}
	if record.Spec.Cluster != bundle.Store {
		return fmt.Sprintf("%s reaches the API server that %s says is cluster %s; "+
			"correct it, or remove the AppliedBundle if the cluster was renamed", bundle.API, name, record.Spec.Cluster)
	}
	return ""
}

// before returns the record that is written before the first member: it names
// every kind and namespace that has or will have members, every object of which
// something is or will be claimed, and still the revision that was applied last.
func before(req Request, state State, plan Plan) (*unstructured.Unstructured, error) {
	last, err := state.record()
	if err != nil {
		return nil, err
	}
	spec := last.Spec
	if state.parent == nil {
		spec = v1alpha1.AppliedBundleSpec{Cluster: req.Bundle.Store, Revision: req.Revision, Digest: req.Bundle.Digest()}
	}
	// A bundle that could only be applied in part, and is tried again, is
	// already recorded as not complete: nothing is written each time.
	if spec.Outcome != v1alpha1.OutcomePartial || spec.Digest != req.Bundle.Digest() {
		spec.Outcome = v1alpha1.OutcomeApplying
	}
	spec.Claims = sortClaims(append(slices.Clone(plan.claims), state.recordedClaims...))
	members := append(slices.Clone(plan.kept), state.Members()...)
	kinds, namespaces := extent(members)
	if state.parent != nil {
		kinds = append(kinds, applyset.ParseKinds(state.parent.GetAnnotations()[applyset.AnnotationKinds])...)
		namespaces = append(namespaces, applyset.ParseNamespaces(state.parent.GetAnnotations()[applyset.AnnotationNamespaces])...)
	}
	return parent(req.Bundle.ClusterSet, spec, kinds, namespaces)
}

// after completes the record that is written last: spec says what became of the
// bundle.
func after(req Request, spec v1alpha1.AppliedBundleSpec, remaining []*unstructured.Unstructured) (*unstructured.Unstructured, error) {
	spec.Cluster, spec.Revision, spec.Digest = req.Bundle.Store, req.Revision, req.Bundle.Digest()
	for _, id := range req.Held {
		spec.Held = append(spec.Held, policyOf(id))
	}
	slices.Sort(spec.Held)
	spec.Held = slices.Compact(spec.Held)
	kinds, namespaces := extent(remaining)
	return parent(req.Bundle.ClusterSet, spec, kinds, namespaces)
}

// policyOf names the policy of a fragment as the record does.
func policyOf(id manifest.FragmentID) string {
	return strings.TrimPrefix(string(id), v1alpha1.KindTrafficPolicy+"/")
}

// KeepHeld adds to the traffic of a bundle what was recorded last of the
// policies that are held: their objects stay, and so does where they send.
func KeepHeld(fresh, last []v1alpha1.TrafficShare, held []manifest.FragmentID) []v1alpha1.TrafficShare {
	all := slices.Clone(fresh)
	for _, t := range last {
		if slices.ContainsFunc(held, func(id manifest.FragmentID) bool { return policyOf(id) == t.Policy }) {
			all = append(all, t)
		}
	}
	return all
}

// extent returns the kinds and namespaces of objects.
func extent(objects []*unstructured.Unstructured) ([]schema.GroupKind, []string) {
	var kinds []schema.GroupKind
	var namespaces []string
	for _, o := range objects {
		kinds = append(kinds, o.GroupVersionKind().GroupKind())
		if o.GetNamespace() != "" {
			namespaces = append(namespaces, o.GetNamespace())
		}
	}
	return kinds, namespaces
}

func parent(clusterSet string, spec v1alpha1.AppliedBundleSpec, kinds []schema.GroupKind, namespaces []string) (*unstructured.Unstructured, error) {
	object, err := manifest.New(&v1alpha1.AppliedBundle{
		TypeMeta: metav1.TypeMeta{APIVersion: parentKind.GroupVersion().String(), Kind: parentKind.Kind},
		ObjectMeta: metav1.ObjectMeta{
			Name: clusterSet,
			Labels: map[string]string{
				applyset.LabelID:        applyset.ID(clusterSet),
				manifest.LabelManagedBy: manifest.ManagedBy,
			},
			Annotations: map[string]string{
				applyset.AnnotationTooling:    applyset.Tooling,
				applyset.AnnotationKinds:      applyset.FormatKinds(kinds),
				applyset.AnnotationNamespaces: applyset.FormatNamespaces(namespaces),
			},
		},
		Spec: spec,
	})
	if err != nil {
		return nil, err
	}
	return object.Unstructured(), nil
}
