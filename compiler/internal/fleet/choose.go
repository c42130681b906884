// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// speaker is a document that names clusters of a set.
type speaker struct {
	set *Set
	at  Place
}

func (s *Set) speaks() speaker    { return speaker{s, s.At} }
func (p *Policy) speaks() speaker { return speaker{p.Set, p.At} }

// lookUp finds a cluster that a document names, or reports it at a field below
// a path.
func (b *builder) lookUp(in speaker, name, path, field string) *Cluster {
	c := in.set.Cluster(name)
	if c == nil && name != "" { // empty only where a document is broken, which is told already
		b.report(mistake{code: CodeUnknownCluster, at: in.at(path + field), fix: suggest(name, names(in.set.Clusters))},
			"unknown cluster %q", name)
	}
	return c
}

// chosen are the clusters of a selector.
type chosen struct {
	// named by name and labelled by label, each as written or by name.
	named, labelled []*Cluster
	// places of the named in the list, and its path.
	places []int
	path   string
}

// all returns every one, by name.
func (c chosen) all() []*Cluster { return unique(slices.Concat(c.named, c.labelled)) }

// choose resolves a selector and reports one that chooses nothing.
func (b *builder) choose(in speaker, s v1alpha1.ClusterSelector, path string) chosen {
	out := chosen{path: path + ".clusters", named: make([]*Cluster, 0, len(s.Clusters)), places: make([]int, 0, len(s.Clusters))}
	missed := false
	for i, name := range s.Clusters {
		c := in.set.Cluster(name)
		if c == nil {
			missed = true
			b.lookUp(in, name, out.path, indexed("", i))
			continue
		}
		out.named, out.places = append(out.named, c), append(out.places, i)
	}
	if len(s.MatchLabels) > 0 {
		for _, c := range in.set.Clusters {
			if hasAll(c.Labels, s.MatchLabels) {
				out.labelled = append(out.labelled, c)
			}
		}
	}
	if len(out.named)+len(out.labelled) == 0 && !missed {
		fix := "correct the labels, or name clusters"
		if near := nearLabel(s.MatchLabels, in.set.Clusters); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
		b.report(mistake{code: CodeEmptySelection, at: in.at(path), fix: fix},
			"no cluster of ClusterSet %q is chosen", in.set.Name)
	}
	return out
}

// only keeps the clusters whose state lets them, and warns of those that are
// named nevertheless.
func (b *builder) only(p *Policy, c chosen, lets func(*Cluster) bool) []*Cluster {
	for i, out := range c.named {
		if !lets(out) {
			b.warnLeaving(p, out, indexed(c.path, c.places[i]))
		}
	}
	return slices.DeleteFunc(c.all(), func(c *Cluster) bool { return !lets(c) })
}

// warnLeaving says that a policy names a cluster on its way out of the set.
func (b *builder) warnLeaving(p *Policy, c *Cluster, path string) {
	what := "it exports nothing and gets no share"
	if c.Removed() {
		what = "everything of Fairlead's is taken away there"
	}
	b.warn(mistake{code: CodeLeaving, at: p.At(path), fix: "remove it from the policy before it is removed from the set",
		related: also(c.At(".state"), "its state")}, "cluster %q is %s: %s", c.Name, c.State, what)
}

// hasAll tells whether labels contain all of the wanted.
func hasAll(labels, wanted map[string]string) bool {
	for k, want := range wanted {
		if v, ok := labels[k]; !ok || v != want {
			return false
		}
	}
	return true
}
