// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// store is a config store on its way to a bundle: what was observed there
// decides which objects can be written.
type store struct {
	plan  plan.Plan
	facts inventory.Cluster
	// known: the store was observed at least once.
	known     bool
	held      map[manifest.FragmentID]bool
	heldNotes []Held
	pending   []Pending
	// taken are objects of others by place, routed those VirtualServices of
	// others that route a host.
	taken  map[place]inventory.Object
	routed map[string]inventory.Object
}

func (s *store) hold(id manifest.FragmentID, message string) {
	s.held[id] = true
	s.heldNotes = append(s.heldNotes, Held{Store: s.plan.Store, Fragment: id, Message: message})
}

func (s *store) wait(id manifest.FragmentID, message string) {
	p := Pending{Store: s.plan.Store, Fragment: id, Message: message}
	if !slices.Contains(s.pending, p) {
		s.pending = append(s.pending, p)
	}
}

// bundle keeps what can be written: fragments that nothing conflicts with,
// objects and claims whose namespace exists and whose kind is served.
func (s *store) bundle(asked map[manifest.FragmentID]manifest.Fragment) manifest.Bundle {
	out := manifest.Bundle{Store: s.plan.Store, ClusterSet: s.plan.ClusterSet, Context: s.plan.Context}
	for _, id := range slices.Sorted(maps.Keys(asked)) {
		f := manifest.Fragment{ID: id, Claims: s.claims(id, asked[id].Claims)}
		objects := asked[id].Objects
		slices.SortFunc(objects, func(a, b manifest.Object) int { return a.Ref().Compare(b.Ref()) })
		for _, o := range objects {
			if conflict := s.conflict(o); conflict != "" {
				s.hold(id, conflict)
				continue
			}
			if missing := s.missing(o.Ref()); missing != "" {
				s.wait(id, missing)
				continue
			}
			f.Objects = append(f.Objects, o.Stamp(id))
		}
		if !s.held[id] && len(f.Objects)+len(f.Claims) > 0 {
			out.Fragments = append(out.Fragments, f)
		}
	}
	return out
}

// claims keeps what can be claimed, one claim for each object. Whether the
// object is there, and whose the fields are, is seen where they are written.
func (s *store) claims(id manifest.FragmentID, asked []manifest.Claim) []manifest.Claim {
	slices.SortFunc(asked, manifest.Claim.Compare)
	var out []manifest.Claim
	for _, c := range asked {
		if missing := s.missing(c.Ref()); missing != "" {
			s.wait(id, missing)
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].Ref() == c.Ref() {
			out[last] = out[last].With(c)
			continue
		}
		out = append(out, c)
	}
	return out
}

// observed tells whether what the store lacks is known now.
func (s *store) observed() bool { return s.known && s.facts.Unreachable == "" }

// missing says what the store lacks for an object, empty where nothing.
func (s *store) missing(ref manifest.Ref) string {
	if !s.observed() {
		return ""
	}
	if ref.Namespace != "" && !slices.Contains(s.facts.Namespaces, ref.Namespace) {
		return fmt.Sprintf("namespace %s does not exist in %s", ref.Namespace, s.plan.Store)
	}
	// Kinds of the core group are always served.
	if g := group(ref.APIVersion); g != "" && !slices.Contains(s.facts.Kinds, ref.Kind+"."+g) {
		return fmt.Sprintf("%s does not serve %s.%s: its CustomResourceDefinition is not installed", s.plan.Store, ref.Kind, g)
	}
	return ""
}

func group(apiVersion string) string {
	g, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return g
}

// place is where an object can be only once.
type place struct{ group, kind, namespace, name string }

// index prepares conflict: a cluster may hold any number of objects.
func (s *store) index() {
	s.taken, s.routed = map[place]inventory.Object{}, map[string]inventory.Object{}
	for _, o := range s.facts.Foreign {
		at := place{group(o.APIVersion), o.Kind, o.Namespace, o.Name}
		if _, ok := s.taken[at]; !ok {
			s.taken[at] = o
		}
		if o.Kind != "VirtualService" || at.group != "networking.istio.io" {
			continue
		}
		for _, host := range o.Hosts {
			if host = absolute(host, o.Namespace); s.routed[host].Name == "" {
				s.routed[host] = o
			}
		}
	}
}

// conflict says who else has the object, or routes the same host; empty where
// nobody does.
func (s *store) conflict(o manifest.Object) string {
	ref := o.Ref()
	if foreign, ok := s.taken[place{group(ref.APIVersion), ref.Kind, ref.Namespace, ref.Name}]; ok {
		return s.whose(foreign) + ", and this policy wants an object of that name: rename or remove theirs, or remove the policy"
	}
	if ref.Kind != "VirtualService" {
		return ""
	}
	for _, host := range hosts(o) {
		if foreign, ok := s.routed[host]; ok {
			return fmt.Sprintf("%s and routes host %s, which this policy routes too: remove the host from theirs, or remove the policy", s.whose(foreign), host)
		}
	}
	return ""
}

// whose says who has an object.
func (s *store) whose(foreign inventory.Object) string {
	owner := foreign.Owner
	if owner == "" {
		owner = "somebody else"
	}
	return fmt.Sprintf("%s in %s belongs to %s", manifest.Ref{Kind: foreign.Kind, Namespace: foreign.Namespace, Name: foreign.Name}, s.plan.Store, owner)
}

// hosts returns the hosts of a VirtualService.
func hosts(o manifest.Object) []string {
	spec, _ := o.Unstructured().Object["spec"].(map[string]any)
	list, _ := spec["hosts"].([]any)
	var out []string
	for _, h := range list {
		if text, ok := h.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// absolute completes a short host as Istio does: by the namespace of the object
// that has it.
func absolute(host, namespace string) string {
	if strings.Contains(host, ".") || host == "*" {
		return host
	}
	return fmt.Sprintf("%s.%s.svc.cluster.local", host, namespace)
}
