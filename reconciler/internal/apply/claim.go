// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// longestManager is the server's bound on the name of a field manager, in bytes.
const longestManager = 128

// ClaimManager is the field manager of what a fragment claims of objects that
// somebody else owns. Each fragment has its own, so that the owner of the
// object reads there whose fields they are, and one fragment's claims are
// written and released whatever becomes of another's.
func ClaimManager(id manifest.FragmentID) string {
	name := FieldManager + "/" + string(id)
	if len(name) <= longestManager {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	digest := hex.EncodeToString(sum[:4])
	return strings.ToValidUTF8(name[:longestManager-len(digest)-1], "") + "-" + digest
}

// ownManager tells whether a field manager is Fairlead, for objects or claims.
func ownManager(name string) bool {
	return name == FieldManager || strings.HasPrefix(name, FieldManager+"/")
}

// claimKey identifies what one fragment claims of one object.
type claimKey struct {
	object   key
	fragment manifest.FragmentID
}

func keyOfRef(ref manifest.Ref) key {
	return key{schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind(), ref.Namespace, ref.Name}
}

// recorded converts a claim to what the AppliedBundle holds of it.
func recorded(ref manifest.Ref, id manifest.FragmentID) v1alpha1.ClaimedObject {
	return v1alpha1.ClaimedObject{APIVersion: ref.APIVersion, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Fragment: string(id)}
}

func refOfRecorded(c v1alpha1.ClaimedObject) manifest.Ref {
	return manifest.Ref{APIVersion: c.APIVersion, Kind: c.Kind, Namespace: c.Namespace, Name: c.Name}
}

// sortClaims brings recorded claims in order, each once.
func sortClaims(claims []v1alpha1.ClaimedObject) []v1alpha1.ClaimedObject {
	slices.SortFunc(claims, func(a, b v1alpha1.ClaimedObject) int {
		return cmp.Or(refOfRecorded(a).Compare(refOfRecorded(b)), cmp.Compare(a.Fragment, b.Fragment))
	})
	return slices.Compact(claims)
}

// claimSteps adds what the fragments claim, and what is to be released of what
// was claimed before.
func (p *Plan) claimSteps(state State, bundle manifest.Bundle, held []manifest.FragmentID) {
	wanted := map[claimKey]bool{}
	for _, fragment := range bundle.Fragments {
		if slices.Contains(held, fragment.ID) {
			continue
		}
		for _, c := range fragment.Claims {
			wanted[claimKey{keyOfRef(c.Ref()), fragment.ID}] = true
			p.claims = append(p.claims, recorded(c.Ref(), fragment.ID))
			p.claim(c, fragment.ID, state.claimed[keyOfRef(c.Ref())])
		}
	}
	for _, c := range state.recordedClaims {
		ref, id := refOfRecorded(c), manifest.FragmentID(c.Fragment)
		if wanted[claimKey{keyOfRef(ref), id}] {
			continue
		}
		live := state.claimed[keyOfRef(ref)]
		if slices.Contains(held, id) {
			p.claims = append(p.claims, c)
		} else if live != nil && fieldsOf(live, ClaimManager(id)) != nil {
			p.Steps = append(p.Steps, Step{Ref: ref, Fragment: id, Live: live, Claim: true})
		}
	}
}

// claim plans one claim on an object as it is.
func (p *Plan) claim(c manifest.Claim, id manifest.FragmentID, live *unstructured.Unstructured) {
	desired := c.Unstructured()
	note := func(op Op, message string) {
		p.Noted = append(p.Noted, Action{Op: op, Ref: c.Ref(), Fragment: id, Message: message})
	}
	switch {
	case live == nil:
		note(Pending, "does not exist; "+fieldNames(c)+" will be set on it once it does")
	case live.GetLabels()[applyset.LabelPartOf] != "" && ownedFields(live) != nil:
		note(Held, "is Fairlead's own object; nothing is claimed of it")
	case equal(ClaimManager(id), desired, live):
		p.Unchanged++
	default:
		if message := contested(desired, live, id); message != "" {
			note(Held, message)
			return
		}
		p.Steps = append(p.Steps, Step{Ref: c.Ref(), Fragment: id, Desired: desired, Live: live, Claim: true})
	}
}

// fieldNames lists what a claim claims.
func fieldNames(c manifest.Claim) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Labels())) {
		names = append(names, "label "+name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Annotations())) {
		names = append(names, "annotation "+name)
	}
	return strings.Join(names, ", ")
}

// contested says which claimed field somebody else has set to another value;
// empty where nobody has. A field that nobody manages, or that has the wanted
// value already, is free to take.
func contested(desired, live *unstructured.Unstructured, id manifest.FragmentID) string {
	for _, kind := range []string{"labels", "annotations"} {
		want, _, _ := unstructured.NestedStringMap(desired.Object, "metadata", kind)
		have, _, _ := unstructured.NestedStringMap(live.Object, "metadata", kind)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, there := have[name]
			if !there || value == want[name] {
				continue
			}
			if manager := managerOf(live, id, "metadata", kind, name); manager != "" {
				return fmt.Sprintf("%s %s is %q by %s, and %s wants %q: remove theirs, or remove the policy; nothing was changed",
					strings.TrimSuffix(kind, "s"), name, value, manager, id, want[name])
			}
		}
	}
	return ""
}

// managerOf returns who manages a field besides the fragment; empty where
// nobody does.
func managerOf(live *unstructured.Unstructured, id manifest.FragmentID, fields ...any) string {
	path := fieldpath.MakePathOrDie(fields...)
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == ClaimManager(id) && entry.Operation == metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())) == nil && set.Has(path) {
			return entry.Manager
		}
	}
	return ""
}

// claim takes the step of a claim: sets the fields, or releases them all where
// none are wanted any more. It never creates the object, and never takes a
// field that somebody else manages with another value.
func (r *run) claim(ctx context.Context, step Step) result {
	resource, err := r.request.Client.Resource(schema.FromAPIVersionAndKind(step.Ref.APIVersion, step.Ref.Kind), step.Ref.Namespace)
	if err != nil {
		return failed(err, nil)
	}
	live := step.Live
	for range attempts {
		applied, err := applyClaim(ctx, resource, step, live)
		switch {
		case err == nil && applied.GetResourceVersion() == live.GetResourceVersion():
			return result{}
		case err == nil:
			return result{op: step.Op()}
		case !apierrors.IsConflict(err) && !apierrors.IsNotFound(err):
			return failed(err, nil)
		}
		// The object is another one, gone, or somebody else took a field: look
		// again.
		live, err = get(ctx, resource, step.Ref.Name)
		switch {
		case err != nil:
			return failed(err, nil)
		case live == nil && step.Desired == nil:
			return result{}
		case live == nil:
			return result{op: Pending, message: "does not exist any more"}
		case step.Desired != nil:
			if message := contested(step.Desired, live, step.Fragment); message != "" {
				return result{op: Held, message: message}
			}
		}
	}
	return result{op: Failed, message: "somebody else keeps changing it"}
}

// applyClaim sets the claimed fields of the live object and no other of its
// name: with the identity of an object, the server refuses to create one.
func applyClaim(ctx context.Context, resource dynamic.ResourceInterface, step Step, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if step.Desired != nil {
		o = step.Desired.DeepCopy()
	}
	o.SetAPIVersion(step.Ref.APIVersion)
	o.SetKind(step.Ref.Kind)
	o.SetNamespace(step.Ref.Namespace)
	o.SetName(step.Ref.Name)
	o.SetUID(live.GetUID())
	ctx, cancel := inFlight(ctx)
	defer cancel()
	return resource.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: ClaimManager(step.Fragment)})
}
