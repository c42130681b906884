// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// FieldManager is the name under which Fairlead owns fields.
const FieldManager = "fairlead"

// Equal tells whether writing desired would leave live as it is: every desired
// field is there with its value, and every field that was applied before is
// still desired. Defaults of the server and fields of others do not count.
func Equal(desired, live *unstructured.Unstructured) bool {
	return equal(FieldManager, desired, live)
}

// equal is Equal for what a field manager applies.
func equal(manager string, desired, live *unstructured.Unstructured) bool {
	owned := fieldsOf(live, manager)
	if owned == nil || live.GetAPIVersion() != desired.GetAPIVersion() {
		return false
	}
	want := withoutIdentity(desired)
	return covers(want, withoutIdentity(live), owned) && claimed(want, owned) && !dropped(owned, desired.Object)
}

// claimed tells whether every desired field is ours: a value that the server
// keeps whole, such as most lists, changes its owner when somebody else changes
// anything in it.
func claimed(desired map[string]any, owned *fieldpath.Set) bool {
	for key, v := range desired {
		element := fieldpath.PathElement{FieldName: &key}
		below, deeper := owned.Children.Get(element)
		m, isMap := v.(map[string]any)
		switch {
		case isMap && deeper:
			if !claimed(m, below) {
				return false
			}
		case !deeper && !owned.Members.Has(element) && !(isMap && len(m) == 0):
			return false
		}
	}
	return true
}

// withoutIdentity returns an object's content without the fields that find it:
// they are never compared.
func withoutIdentity(o *unstructured.Unstructured) map[string]any {
	content := make(map[string]any, len(o.Object))
	for key, v := range o.Object {
		if key != "apiVersion" && key != "kind" && key != "metadata" {
			content[key] = v
		}
	}
	metadata := map[string]any{}
	for _, field := range []string{"labels", "annotations"} {
		if v, found, _ := unstructured.NestedFieldNoCopy(o.Object, "metadata", field); found {
			metadata[field] = v
		}
	}
	content["metadata"] = metadata
	return content
}

// ownedFields returns the fields that were applied by Fairlead last; nil where
// it never applied the object, or somebody took the record away.
func ownedFields(live *unstructured.Unstructured) *fieldpath.Set { return fieldsOf(live, FieldManager) }

// fieldsOf is ownedFields for any field manager.
func fieldsOf(live *unstructured.Unstructured, manager string) *fieldpath.Set {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != "Apply" || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			// An entry that cannot be read is one we cannot rely on: the
			// object is written again and the server makes a new one.
			return nil
		}
		return set
	}
	return nil
}

// covers tells whether live has everything that desired has. Owned are the
// fields below this value that were applied before; it tells lists that the
// server merges by key from lists that are replaced whole.
func covers(desired, live any, owned *fieldpath.Set) bool {
	switch want := desired.(type) {
	case map[string]any:
		have, ok := live.(map[string]any)
		if !ok {
			return len(want) == 0 && live == nil
		}
		for key, v := range want {
			if !covers(v, have[key], descend(owned, fieldpath.PathElement{FieldName: &key})) {
				return false
			}
		}
		return true
	case []any:
		have, ok := live.([]any)
		if !ok {
			return len(want) == 0 && live == nil
		}
		if keyed(owned) {
			return allCovered(want, have)
		}
		if len(want) != len(have) {
			return false
		}
		for i := range want {
			if !covers(want[i], have[i], nil) {
				return false
			}
		}
		return true
	}
	return sameScalar(desired, live)
}

// allCovered tells whether each wanted item has an item in live that covers it:
// in a list with keys others may have items of their own, in any order.
func allCovered(want, have []any) bool {
	for _, w := range want {
		found := false
		for _, h := range have {
			found = found || covers(w, h, nil)
		}
		if !found {
			return false
		}
	}
	return true
}

func descend(owned *fieldpath.Set, element fieldpath.PathElement) *fieldpath.Set {
	if owned == nil {
		return nil
	}
	child, _ := owned.Children.Get(element)
	return child
}

// keyed tells whether the items of a list are owned one by one.
func keyed(owned *fieldpath.Set) bool {
	if owned == nil {
		return false
	}
	found := false
	note := func(e fieldpath.PathElement) { found = found || e.Key != nil || e.Value != nil }
	owned.Members.Iterate(note)
	owned.Children.Iterate(note)
	return found
}

// sameScalar compares numbers by value: an emitter may hold an integer where
// JSON from the server gives a float.
func sameScalar(desired, live any) bool {
	if reflect.DeepEqual(desired, live) {
		return true
	}
	a, aok := number(desired)
	b, bok := number(live)
	return aok && bok && a == b
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// dropped tells whether a field that was applied before is not desired any
// more. Paths that end inside a value that is desired whole do not count.
func dropped(owned *fieldpath.Set, desired any) bool {
	gone := false
	owned.Leaves().Iterate(func(p fieldpath.Path) {
		gone = gone || !has(desired, p)
	})
	return gone
}

// has tells whether a value has something at a path.
func has(v any, path fieldpath.Path) bool {
	for _, element := range path {
		next, ok := step(v, element)
		if !ok {
			return false
		}
		v = next
	}
	return true
}

// step goes one element down a path.
func step(v any, e fieldpath.PathElement) (any, bool) {
	switch {
	case e.FieldName != nil:
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		next, ok := m[*e.FieldName]
		return next, ok
	case e.Index != nil:
		list, ok := v.([]any)
		if !ok || *e.Index >= len(list) {
			return nil, false
		}
		return list[*e.Index], true
	}
	list, _ := v.([]any)
	for _, item := range list {
		if e.Value != nil && fmt.Sprint(item) == fmt.Sprint((*e.Value).Unstructured()) || e.Key != nil && hasKey(item, *e.Key) {
			return item, true
		}
	}
	return nil, false
}

// hasKey tells whether an item of a list is the one with that key. A part of
// the key that the item does not have was defaulted by the server.
func hasKey(item any, key value.FieldList) bool {
	m, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, field := range key {
		if v, there := m[field.Name]; there && fmt.Sprint(v) != fmt.Sprint(field.Value.Unstructured()) {
			return false
		}
	}
	return true
}
