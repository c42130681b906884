// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Step is one write that is wanted.
type Step struct {
	Ref      manifest.Ref
	Fragment manifest.FragmentID
	// Claim: the object is somebody else's, and only the fields that the
	// fragment claims are written.
	Claim bool
	// Desired is nil where the object is to be removed, or the claim released.
	Desired *unstructured.Unstructured
	// Live is nil where the object is believed to be absent.
	Live *unstructured.Unstructured
}

// Plan is what makes a cluster hold a bundle.
type Plan struct {
	// Steps in the order of writing; those of one rank may go at once.
	Steps []Step
	// Noted are the claims that cannot be written now: Pending and Held.
	Noted []Action
	// Unchanged counts the objects and claims that are as they should be.
	Unchanged int
	// kept are the members that stay: wanted, or of a held fragment.
	kept []*unstructured.Unstructured
	// claims that stay: wanted, or of a held fragment.
	claims []v1alpha1.ClaimedObject
}

// NewPlan compares what a cluster holds with a bundle. Members of held
// fragments are neither changed nor removed, nor are their claims.
func NewPlan(state State, bundle manifest.Bundle, held []manifest.FragmentID) Plan {
	var plan Plan
	wanted := map[key]bool{}
	for _, fragment := range bundle.Fragments {
		if slices.Contains(held, fragment.ID) {
			continue
		}
		for _, o := range fragment.Objects {
			desired := mark(o, fragment.ID, bundle.ClusterSet)
			wanted[keyOf(desired)] = true
			plan.want(desired, state.members[keyOf(desired)], fragment.ID)
		}
	}
	for _, live := range state.Members() {
		fragment := manifest.FragmentID(live.GetAnnotations()[manifest.AnnotationFragment])
		switch {
		case wanted[keyOf(live)]:
		case slices.Contains(held, fragment), live.GetDeletionTimestamp() != nil:
			// Held, or removed already and waiting for somebody's finalizer.
			plan.kept = append(plan.kept, live)
		default:
			plan.Steps = append(plan.Steps, Step{Ref: RefOf(live), Fragment: fragment, Live: live})
		}
	}
	plan.claimSteps(state, bundle, held)
	slices.SortStableFunc(plan.Steps, func(a, b Step) int { return cmp.Compare(a.rank(), b.rank()) })
	return plan
}

func (p *Plan) want(desired, live *unstructured.Unstructured, fragment manifest.FragmentID) {
	p.kept = append(p.kept, desired)
	if live != nil && Equal(desired, live) {
		p.Unchanged++
		return
	}
	p.Steps = append(p.Steps, Step{Ref: RefOf(desired), Fragment: fragment, Desired: desired, Live: live})
}

// mark returns the object as it is written: with the labels and annotations by
// which it is found again.
func mark(o manifest.Object, fragment manifest.FragmentID, clusterSet string) *unstructured.Unstructured {
	u := o.Unstructured()
	u.SetLabels(with(u.GetLabels(), map[string]string{
		manifest.LabelManagedBy: manifest.ManagedBy,
		applyset.LabelPartOf:    applyset.ID(clusterSet),
	}))
	u.SetAnnotations(with(u.GetAnnotations(), map[string]string{manifest.AnnotationFragment: string(fragment)}))
	return u
}

func with(m, more map[string]string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// Ranks of the kinds: what is pointed at is written before what points at it,
// and removed after it. Tunnels carry what routes name; a DestinationRule's
// subsets must be there before a VirtualService sends requests to them; an
// address must lead somewhere before a ServiceImport announces it, and a route
// at a gateway answers with errors before the imports are there that it names.
//
// What says who may call comes before all that lets callers in, and stays until
// nothing does any more.
const (
	rankGuard = iota
	rankTunnel
	rankEndpoint
	rankSubset
	rankEntrance
	rankRoute
	rankName
	rankFront
	rankRemoval
)

func rankOf(kind schema.GroupKind) int {
	switch kind.Kind {
	case "CiliumNetworkPolicy", "AuthorizationPolicy", "SecurityPolicy":
		return rankGuard
	case "Dataplane":
		return rankTunnel
	case "Service", "ServiceEntry":
		return rankEndpoint
	case "DestinationRule":
		return rankSubset
	case "Gateway", "ServiceExport":
		return rankEntrance
	case "ServiceImport":
		return rankName
	}
	if kind.Group == "gateway.networking.k8s.io" && strings.HasSuffix(kind.Kind, "Route") {
		return rankFront
	}
	return rankRoute
}

// rank places the step: all writes by rank, then all removals by falling rank,
// so that no moment has neither the old object nor the new.
func (s Step) rank() int {
	kind := schema.FromAPIVersionAndKind(s.Ref.APIVersion, s.Ref.Kind).GroupKind()
	if s.Desired != nil {
		return rankOf(kind)
	}
	return rankRemoval + rankFront - rankOf(kind)
}
