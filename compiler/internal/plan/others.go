// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Others is a set of pods that may not call: those that have none of the listed
// values of every trait that is listed. Without any trait it is every pod.
type Others struct {
	// Clusters, Namespaces and ServiceAccounts that the pods are not in, sorted.
	Clusters, Namespaces, ServiceAccounts []string
	// Labels that the pods do not have with any of these values, sorted.
	Labels map[string][]string
}

// traits of a caller, in the order in which they are compared.
type trait struct{ kind, name string }

// The kinds of traits. Pod labels have a name besides.
const (
	traitCluster        = "cluster"
	traitNamespace      = "namespace"
	traitServiceAccount = "serviceAccount"
	traitLabel          = "label"
)

// conjunction is a set of pods that lack the values of each trait.
type conjunction map[trait][]string

// MaxOthers bounds how many sets of pods are told apart on one port: each is
// looked at in the data path for each new caller.
const MaxOthers = 64

// mostCandidates bounds the sets that are compared with each other on the way:
// what has more is never brought down to MaxOthers by those that are within
// others.
const mostCandidates = 16 * MaxOthers

// Others returns, as a union, every pod that no entry lets call a port. It
// fails where that takes more than MaxOthers sets.
func (a *Access) Others(port int32) ([]Others, bool) {
	all := []conjunction{{}}
	for _, rule := range a.Allow {
		if len(rule.Ports) > 0 && !slices.ContainsFunc(rule.Ports, func(p v1alpha1.PortNumber) bool { return int32(p) == port }) {
			continue
		}
		// Who is not let in by this entry lacks one of its traits.
		var next []conjunction
		for _, c := range all {
			for at, values := range rule.traits() {
				next = append(next, c.lacking(at, values))
			}
		}
		if len(next) > mostCandidates {
			return nil, false
		}
		if all = weakest(next); len(all) > MaxOthers {
			return nil, false
		}
	}
	var out []Others
	for _, c := range all {
		out = append(out, c.others())
	}
	return out, true
}

// traits returns what a caller must have to meet an entry. The cluster is
// always among them: pods of a cluster outside the set are nobody's callers.
func (r AccessRule) traits() map[trait][]string {
	out := map[trait][]string{}
	var clusters []string
	for _, c := range r.Clusters {
		clusters = append(clusters, c.Name)
	}
	out[trait{kind: traitCluster}] = clusters
	if len(r.Namespaces) > 0 {
		out[trait{kind: traitNamespace}] = r.Namespaces
	}
	if len(r.ServiceAccounts) > 0 {
		out[trait{kind: traitServiceAccount}] = r.ServiceAccounts
	}
	for name, value := range r.PodLabels {
		out[trait{traitLabel, name}] = []string{value}
	}
	return out
}

// lacking returns the part of the set that also lacks these values of a trait.
func (c conjunction) lacking(at trait, values []string) conjunction {
	out := maps.Clone(c)
	merged := slices.Concat(c[at], values)
	slices.Sort(merged)
	out[at] = slices.Compact(merged)
	return out
}

// within tells whether every pod of the set is in the other one: it lacks all
// that those lack.
func (c conjunction) within(other conjunction) bool {
	for at, values := range other {
		for _, v := range values {
			if !slices.Contains(c[at], v) {
				return false
			}
		}
	}
	return true
}

// weakest drops sets that are within others, and sorts the rest.
func weakest(all []conjunction) []conjunction {
	slices.SortFunc(all, conjunction.compare)
	var out []conjunction
	for _, c := range all {
		if slices.ContainsFunc(out, c.within) {
			continue
		}
		out = slices.DeleteFunc(out, func(o conjunction) bool { return o.within(c) })
		out = append(out, c)
	}
	return out
}

// keys returns the traits in order.
func (c conjunction) keys() []trait {
	return slices.SortedFunc(maps.Keys(c), func(a, b trait) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
}

func (c conjunction) compare(o conjunction) int {
	mine, theirs := c.keys(), o.keys()
	for i := range min(len(mine), len(theirs)) {
		if n := cmp.Or(cmp.Compare(mine[i].kind, theirs[i].kind), cmp.Compare(mine[i].name, theirs[i].name),
			slices.Compare(c[mine[i]], o[theirs[i]])); n != 0 {
			return n
		}
	}
	return cmp.Compare(len(mine), len(theirs))
}

func (c conjunction) others() Others {
	out := Others{Clusters: c[trait{kind: traitCluster}], Namespaces: c[trait{kind: traitNamespace}],
		ServiceAccounts: c[trait{kind: traitServiceAccount}]}
	for at, values := range c {
		if at.kind == traitLabel {
			if out.Labels == nil {
				out.Labels = map[string][]string{}
			}
			out.Labels[at.name] = values
		}
	}
	return out
}
