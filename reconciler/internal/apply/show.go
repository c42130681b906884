// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
)

// Op returns what taking the step would do.
func (s Step) Op() Op {
	switch {
	case s.Claim && s.Desired == nil:
		return Released
	case s.Claim:
		return Claimed
	case s.Desired == nil:
		return Pruned
	case s.Live == nil:
		return Created
	}
	return Changed
}

// Texts returns the object before and after the step as canonical YAML, without
// the mark of the ApplySet, for people to compare; empty where it is absent. Of
// the live object only the fields are shown that are or were Fairlead's.
func (s Step) Texts() (before, after []byte) {
	var want map[string]any
	manager := FieldManager
	if s.Claim {
		manager = ClaimManager(s.Fragment)
	}
	switch {
	case s.Desired != nil:
		want = withoutIdentity(s.Desired)
		after = text(s.Desired, want)
	case s.Claim:
		after = text(s.Live, nil)
	}
	if s.Live != nil {
		owned := fieldsOf(s.Live, manager)
		if owned == nil {
			owned = &fieldpath.Set{}
		}
		ours, _ := project(withoutIdentity(s.Live), want, owned).(map[string]any)
		before = text(s.Live, ours)
		if bytes.Equal(before, after) {
			// What differs is inside something that looks like a default.
			before = text(s.Live, withoutIdentity(s.Live))
		}
	}
	return before, after
}

// text encodes some content of an object.
func text(o *unstructured.Unstructured, content map[string]any) []byte {
	shown := &unstructured.Unstructured{Object: map[string]any{}}
	for key, v := range content {
		shown.Object[key] = v
	}
	shown = shown.DeepCopy()
	shown.SetAPIVersion(o.GetAPIVersion())
	shown.SetKind(o.GetKind())
	shown.SetNamespace(o.GetNamespace())
	shown.SetName(o.GetName())
	unstructured.RemoveNestedField(shown.Object, "metadata", "labels", applyset.LabelPartOf)
	object, err := manifest.FromContent(shown.Object)
	if err != nil {
		return nil // an object that has a kind and a name always encodes
	}
	return object.YAML()
}

// project returns what of live is desired or owned.
func project(live, desired any, owned *fieldpath.Set) any {
	switch have := live.(type) {
	case map[string]any:
		want, _ := desired.(map[string]any)
		kept := map[string]any{}
		for key, v := range have {
			element := fieldpath.PathElement{FieldName: &key}
			below, deeper := owned.Children.Get(element)
			wanted, isWanted := want[key]
			switch {
			case owned.Members.Has(element) && !deeper && !isWanted:
				kept[key] = v
			case deeper || isWanted || owned.Members.Has(element):
				if below == nil {
					below = &fieldpath.Set{}
				}
				kept[key] = project(v, wanted, below)
			}
		}
		return kept
	case []any:
		return projectList(have, desired)
	}
	return live
}

// projectList drops from each item the fields that its desired counterpart does
// not have: they are the server's defaults more often than drift. An item
// without a counterpart is shown whole.
func projectList(have []any, desired any) []any {
	want, _ := desired.([]any)
	kept := make([]any, len(have))
	for i, item := range have {
		kept[i] = item
		if i < len(want) {
			kept[i] = project(item, want[i], &fieldpath.Set{})
		}
	}
	return kept
}
