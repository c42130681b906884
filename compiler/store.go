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

// view is what was observed of a config store: it decides which objects can be
// written. It does not change, and parts of a bundle are made by several
// goroutines at once.
type view struct {
	name  string
	facts inventory.Cluster
	// known: the store was observed at least once.
	known      bool
	namespaces map[string]bool
	kinds      map[string]bool
	// taken are objects of others by place, routed those VirtualServices of
	// others that route a host.
	taken  map[place]inventory.Object
	routed map[string]inventory.Object
}

// newView prepares what was observed for many questions.
func newView(name string, inv inventory.Inventory) *view {
	v := &view{name: name, namespaces: map[string]bool{}, kinds: map[string]bool{}}
	v.facts, v.known = inv.Find(name)
	for _, n := range v.facts.Namespaces {
		v.namespaces[n] = true
	}
	for _, k := range v.facts.Kinds {
		v.kinds[k] = true
	}
	v.index()
	return v
}

// part is what some plan asks of one store.
type part struct {
	// set and store are names.
	set, store string
	// fragments by ID.
	fragments []manifest.Fragment
	held      []Held
	pending   []Pending
	traffic   []Traffic
}

// part emits a plan and keeps what can be written of the fragments that are
// wanted.
func (v *view) part(p plan.Plan, wanted func(manifest.FragmentID) bool) part {
	asked := map[manifest.FragmentID]manifest.Fragment{}
	for _, emit := range emitters {
		for _, f := range emit(p) {
			if !wanted(f.ID) {
				continue
			}
			whole := asked[f.ID]
			whole.Objects = append(whole.Objects, f.Objects...)
			whole.Claims = append(whole.Claims, f.Claims...)
			asked[f.ID] = whole
		}
	}
	s := store{view: v, held: map[manifest.FragmentID]bool{}}
	for _, n := range p.Held {
		s.hold(n.Fragment, n.Message)
	}
	for _, n := range p.Pending {
		s.wait(n.Fragment, n.Message)
	}
	out := part{set: p.ClusterSet, store: p.Store, fragments: s.fragments(asked), held: s.heldNotes, pending: s.pending}
	written := map[manifest.FragmentID]bool{}
	for _, f := range out.fragments {
		written[f.ID] = true
	}
	for _, t := range p.Traffic {
		if written[t.Fragment] {
			out.traffic = append(out.traffic, Traffic{Consumer: p.Store, Fragment: t.Fragment, Service: t.Service, Rule: t.Rule, Backend: t.Backend, Tier: t.Tier, Permille: t.Permille})
		}
	}
	return out
}

// store is a part of a bundle on its way.
type store struct {
	*view
	held      map[manifest.FragmentID]bool
	heldNotes []Held
	pending   []Pending
}

func (s *store) hold(id manifest.FragmentID, message string) {
	s.held[id] = true
	s.heldNotes = append(s.heldNotes, Held{Store: s.name, Fragment: id, Message: message})
}

func (s *store) wait(id manifest.FragmentID, message string) {
	p := Pending{Store: s.name, Fragment: id, Message: message}
	if !slices.Contains(s.pending, p) {
		s.pending = append(s.pending, p)
	}
}

// fragments keeps what can be written: fragments that nothing conflicts with,
// objects and claims whose namespace exists and whose kind is served.
func (s *store) fragments(asked map[manifest.FragmentID]manifest.Fragment) []manifest.Fragment {
	var out []manifest.Fragment
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
			out = append(out, f)
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
func (s *view) observed() bool { return s.known && s.facts.Unreachable == "" }

// missing says what the store lacks for an object, empty where nothing.
func (s *view) missing(ref manifest.Ref) string {
	if !s.observed() {
		return ""
	}
	if ref.Namespace != "" && !s.namespaces[ref.Namespace] {
		return fmt.Sprintf("namespace %s does not exist in %s", ref.Namespace, s.name)
	}
	// Kinds of the core group are always served.
	if g := group(ref.APIVersion); g != "" && !s.kinds[ref.Kind+"."+g] {
		return fmt.Sprintf("%s does not serve %s.%s: its CustomResourceDefinition is not installed", s.name, ref.Kind, g)
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
func (s *view) index() {
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
func (s *view) conflict(o manifest.Object) string {
	ref := o.Ref()
	if foreign, ok := s.taken[place{group(ref.APIVersion), ref.Kind, ref.Namespace, ref.Name}]; ok {
		return s.whose(foreign) + ", and this policy wants an object of that name: rename or remove theirs, or remove the policy"
	}
	if ref.Kind != "VirtualService" || len(s.routed) == 0 {
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
func (s *view) whose(foreign inventory.Object) string {
	owner := foreign.Owner
	if owner == "" {
		owner = "somebody else"
	}
	return fmt.Sprintf("%s in %s belongs to %s", manifest.Ref{Kind: foreign.Kind, Namespace: foreign.Namespace, Name: foreign.Name}, s.name, owner)
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
