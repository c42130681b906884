// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// policy resolves one of a set.
func (b *builder) policy(doc *source.Policy, set *Set) *Policy {
	origin, spec := doc.Origin, &doc.Spec
	p := &Policy{Set: set, Namespace: doc.Namespace, Name: doc.Name, Service: spec.Service.Name, Document: origin.Identity(),
		At: origin.At, Accepted: spec.AcceptDegradations, spec: *spec}
	p.fill(&set.Defaults)
	p.frontends()
	p.Rules = make([]Rule, 0, max(len(spec.Rules), 1))
	for i := range spec.Rules {
		p.Rules = append(p.Rules, b.rule(p, &spec.Rules[i], i))
	}
	if len(p.Rules) == 0 {
		p.Rules = append(p.Rules, Rule{Label: "0", Path: "spec.rules"})
	}
	p.allow = b.allowed(p)
	return p
}

// setOf finds the ClusterSet of a policy, or reports why it cannot.
func (b *builder) setOf(doc *source.Policy) *Set {
	name, sets := doc.Spec.ClusterSet, b.fleet.Sets
	i := slices.IndexFunc(sets, func(s *Set) bool { return s.Name == name })
	switch {
	case i >= 0:
		return sets[i]
	case name == "" && len(sets) == 1:
		return sets[0]
	}
	var known []string
	for _, s := range sets {
		known = append(known, s.Name)
	}
	at := mistake{at: doc.Origin.At("spec.clusterSet")}
	switch {
	case len(sets) == 0:
		at.code, at.fix = CodeNoSet, "add a ClusterSet that lists the clusters"
		b.report(at, "there is no ClusterSet for policy %s/%s", doc.Namespace, doc.Name)
	case name != "":
		at.code, at.fix = CodeUnknownSet, suggest(name, known)
		b.report(at, "unknown ClusterSet %q", name)
	default:
		at.code, at.fix = CodeAmbiguousSet, "write spec.clusterSet; "+suggest("", known)
		b.report(at, "policy %s/%s does not say which ClusterSet it is for", doc.Namespace, doc.Name)
	}
	return nil
}

// minHealthy returns the percentage, at least 1: with 0% a backend keeps its
// share while any endpoint is ready, and 1% says the same of up to a hundred.
func minHealthy(f *v1alpha1.Failover) int32 {
	if f == nil || f.MinHealthy == "" {
		return v1alpha1.DefaultMinHealthy
	}
	n, _ := f.MinHealthy.Parse() // its form was checked where it was read
	return int32(max(n, 1))
}

func (b *builder) rule(p *Policy, r *v1alpha1.Rule, i int) Rule {
	out := Rule{Rule: *r, Label: cmp.Or(r.Name, strconv.Itoa(i)), Path: indexed("spec.rules", i)}
	if len(r.Backends) > 0 {
		out.Backends = make([]Backend, 0, len(r.Backends))
	}
	for j := range r.Backends {
		if found, ok := b.backend(p, &r.Backends[j], out.Path+indexed(".backends", j)); ok {
			out.Backends = append(out.Backends, found)
		}
	}
	if r.Mirror != nil {
		if found, ok := b.backend(p, &r.Mirror.Backend, out.Path+".mirror.backend"); ok {
			out.Mirror = &found
		}
	}
	return out
}

// backend resolves a backend, false where its cluster is unknown.
func (b *builder) backend(p *Policy, written *v1alpha1.Backend, path string) (Backend, bool) {
	c := p.Set.Cluster(written.Cluster)
	if c == nil {
		b.lookUp(p.speaks(), written.Cluster, path, ".cluster")
		return Backend{}, false
	}
	if !c.Exports() {
		b.warnLeaving(p, c, path+".cluster")
	}
	out := Backend{Cluster: c, Namespace: written.Namespace, Service: written.Service, Port: written.Port,
		Subset: written.Subset, Weight: 1, Priority: written.Priority, Lost: !c.Exports(), Path: path}
	if written.Weight != nil {
		out.Weight = int64(*written.Weight)
	}
	// The policy's own service, whether it is written out or not.
	if cmp.Or(out.Namespace, p.Namespace) == p.Namespace && cmp.Or(out.Service, p.Service) == p.Service {
		out.Namespace, out.Service = "", ""
	}
	return out, true
}

// Own tells whether the backend is the policy's own service.
func (b Backend) Own() bool { return b.Service == "" && b.Namespace == "" }

// allowed resolves the callers of an access block.
func (b *builder) allowed(p *Policy) []AccessRule {
	if p.spec.Access == nil {
		return nil
	}
	var out []AccessRule
	for i, written := range p.spec.Access.Allow {
		r := AccessRule{AccessRule: written, Path: fmt.Sprintf("spec.access.allow[%d]", i)}
		for j, name := range written.Clusters {
			path := fmt.Sprintf("%s.clusters[%d]", r.Path, j)
			c := b.lookUp(p.speaks(), name, path, "")
			if c == nil {
				continue
			}
			if c.Removed() {
				b.warnLeaving(p, c, path)
			}
			r.Clusters = append(r.Clusters, c)
		}
		r.Clusters = unique(r.Clusters)
		out = append(out, r)
	}
	return out
}
