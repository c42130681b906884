// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/explain"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Explanation says what made an object.
type Explanation struct {
	// Store is the cluster that the object is written to, Object its kind,
	// namespace and name, Fragment the document that it belongs to.
	Store    string              `json:"store"`
	Object   string              `json:"object"`
	Fragment manifest.FragmentID `json:"fragment"`
	// Needs is what the object itself is not there without; Fields is every
	// value of it.
	Needs  []Cause          `json:"needs"`
	Fields []ExplainedField `json:"fields"`
}

// ExplainedField is one value of an object.
type ExplainedField struct {
	// Path such as spec.http[0].timeout.
	Path  string `json:"path"`
	Value string `json:"value"`
	// From is what the value changes with, Needs what the field is not there
	// without. Neither: Fairlead always writes it.
	From  []Cause `json:"from"`
	Needs []Cause `json:"needs"`
}

// Cause is a value of the documents, of the inventory or of its ledger.
type Cause struct {
	// Input is the document as kind/name, or "inventory".
	Input string `json:"input"`
	// Path of the value in it.
	Path string `json:"path"`
	// Position of the value; nil for what was observed.
	Position *diag.Position `json:"position,omitempty"`
}

// Explain says which values made an object, field by field. The object is
// kind/namespace/name, or kind/name. It compiles once for every value of the
// documents and facts that the object could follow from. An error says what is
// wrong with the question; with an error among the diagnostics, which are about
// the documents, there is no explanation.
func Explain(files fs.FS, inv inventory.Inventory, store, object string) (Explanation, []diag.Diagnostic, error) {
	result, diags := Compile(files, inv)
	if diag.HasErrors(diags) {
		return Explanation{}, diags, nil
	}
	ref, id, err := result.find(store, object)
	if err != nil {
		return Explanation{}, diags, err
	}
	docs, _ := source.Load(files)
	e := explainer{docs: docs, inv: inv, store: store, ref: ref}
	e.narrow(id)
	out := Explanation{Store: store, Object: ref.String(), Fragment: id}
	for i, f := range explain.Object(e.build, e.inputs()) {
		if i == 0 {
			out.Needs = e.causes(f.Needs)
			continue
		}
		out.Fields = append(out.Fields, ExplainedField{Path: f.Path, Value: f.Value, From: e.causes(f.From), Needs: e.causes(f.Needs)})
	}
	return out, diags, nil
}

// find returns an object that a bundle has, or says what there is instead.
func (r Result) find(store, object string) (manifest.Ref, manifest.FragmentID, error) {
	var stores []string
	for _, b := range r.Bundles {
		stores = append(stores, b.Store)
		if b.Store != store {
			continue
		}
		var all []string
		for _, f := range b.Fragments {
			for _, o := range f.Objects {
				if o.Ref().String() == object {
					return o.Ref(), f.ID, nil
				}
				all = append(all, o.Ref().String())
			}
		}
		return manifest.Ref{}, "", fmt.Errorf("nothing named %q is written to %s; there are %s", object, store, listed(all))
	}
	return manifest.Ref{}, "", fmt.Errorf("there is no cluster %q; there are %s", store, listed(stores))
}

func listed(all []string) string {
	if len(all) == 0 {
		return "none at all"
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// explainer builds one object from documents that change.
type explainer struct {
	docs  source.Documents
	inv   inventory.Inventory
	store string
	ref   manifest.Ref
	// renamed is what the object is called while a name is tried.
	renamed [2]string
	// service is the service of the object's policy; its zero value: all.
	service inventory.Name
}

// narrow leaves out the policies of other services, where the object is the
// same without them.
func (e *explainer) narrow(id manifest.FragmentID) {
	i := slices.IndexFunc(e.docs.Policies, func(p source.Policy) bool {
		return id == manifest.FragmentID("TrafficPolicy/"+p.Namespace+"/"+p.Name)
	})
	if i < 0 {
		return
	}
	of := e.docs.Policies[i]
	few := *e
	few.service = inventory.Name{Namespace: of.Namespace, Name: of.Spec.Service.Name}
	few.docs.Policies = slices.DeleteFunc(slices.Clone(e.docs.Policies), func(p source.Policy) bool {
		return p.Namespace != of.Namespace || p.Spec.Service.Name != of.Spec.Service.Name
	})
	if fmt.Sprint(few.build()) == fmt.Sprint(e.build()) {
		*e = few
	}
}

// build makes the object from the documents and facts as they are now; nil
// where they do not ask for it. Mistakes do not matter here: values that are
// tried are often wrong.
func (e *explainer) build() map[string]any {
	f, _ := fleet.Build(e.docs, e.inv)
	plans, _ := plan.Build(f)
	for _, p := range plans {
		if p.Store != e.store {
			continue
		}
		var r Result
		r.add(p, e.inv)
		for _, o := range r.Bundles[0].Objects() {
			if e.is(o.Ref()) {
				return o.Unstructured().Object
			}
		}
	}
	return nil
}

// is tells whether an object is the one that is explained, under the names that
// things have at the moment.
func (e *explainer) is(ref manifest.Ref) bool {
	if e.renamed[0] == "" || ref == e.ref {
		return ref == e.ref
	}
	moved, named := e.ref, e.ref
	if e.ref.Namespace == e.renamed[0] {
		moved.Namespace = e.renamed[1]
	}
	named.Name = strings.ReplaceAll(named.Name, e.renamed[0], e.renamed[1])
	return ref == moved || ref == named
}

// inputName is how causes speak of what was observed.
const inputName = "inventory"

// inputs are all values that can be changed.
func (e *explainer) inputs() []explain.Input {
	var out []explain.Input
	for i := range e.docs.Policies {
		p := &e.docs.Policies[i]
		changes := append(explain.Changes(&p.Spec, "spec"), e.renameService(i), e.renamePolicy(i), e.moveNamespace(i))
		for j := range p.Spec.Service.Ports {
			changes = append(changes, e.movePort(i, j))
		}
		out = append(out, explain.Input{Name: v1alpha1.KindTrafficPolicy + "/" + p.Namespace + "/" + p.Name, Changes: changes})
	}
	for i := range e.docs.ClusterSets {
		s := &e.docs.ClusterSets[i]
		changes := explain.Changes(&s.Spec, "spec")
		for j, c := range s.Spec.Clusters {
			if c.Name != e.store {
				changes = append(changes, e.renameCluster(fmt.Sprintf("spec.clusters[%d].name", j), c.Name))
			}
		}
		out = append(out, explain.Input{Name: v1alpha1.KindClusterSet + "/" + s.Name, Changes: changes})
	}
	return append(out, explain.Input{Name: inputName, Changes: e.facts()})
}

// facts are the observed values that can matter to the object.
func (e *explainer) facts() []explain.Change {
	var out []explain.Change
	e.inv.Clusters, e.inv.Ledger = slices.Clone(e.inv.Clusters), slices.Clone(e.inv.Ledger)
	for i := range e.inv.Clusters {
		c := &e.inv.Clusters[i]
		at := "clusters[" + c.Name + "]"
		out = append(out, explain.Changes(&c.Istio, at+".istio")...)
		out = append(out, explain.Changes(&c.Namespaces, at+".namespaces")...)
		out = append(out, explain.Changes(&c.Exports, at+".exports")...)
		out = append(out, explain.Changes(&c.Nodes, at+".nodes")...)
		c.Services = slices.Clone(c.Services)
		for j := range c.Services {
			if s := &c.Services[j]; e.service == (inventory.Name{}) || s.Name == e.service {
				out = append(out, explain.Changes(s, at+".services["+s.Name.String()+"]")...)
			}
		}
	}
	for i := range e.inv.Ledger {
		a := &e.inv.Ledger[i]
		out = append(out, explain.Changes(&a.Value, fmt.Sprintf("ledger[%s %s]", a.Pool, a.Key))...)
	}
	return out
}

// causes places sources in the files.
func (e *explainer) causes(sources []explain.Source) []Cause {
	out := []Cause{}
	for _, s := range sources {
		c := Cause{Input: s.Input, Path: s.Path}
		for _, p := range e.docs.Policies {
			if s.Input == v1alpha1.KindTrafficPolicy+"/"+p.Namespace+"/"+p.Name {
				at := p.Origin.At(s.Path)
				c.Position = &at
			}
		}
		for _, set := range e.docs.ClusterSets {
			if s.Input == v1alpha1.KindClusterSet+"/"+set.Name {
				at := set.Origin.At(s.Path)
				c.Position = &at
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Cause) int {
		if a.Position == nil || b.Position == nil {
			return cmp.Compare(btoi(a.Position == nil), btoi(b.Position == nil))
		}
		return a.Position.Compare(*b.Position)
	})
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
