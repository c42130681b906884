// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// pod is a caller on port 80.
type pod struct {
	cluster, namespace, account string
	labels                      map[string]string
}

// meets tells whether an entry lets the pod in, read straight from its fields.
func (p pod) meets(r AccessRule) bool {
	in := func(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
	for name, value := range r.PodLabels {
		if p.labels[name] != value {
			return false
		}
	}
	named := slices.ContainsFunc(r.Clusters, func(c AccessCluster) bool { return c.Name == p.cluster })
	ports := len(r.Ports) == 0 || slices.Contains(r.Ports, 80)
	return named && ports && in(r.Namespaces, p.namespace) && in(r.ServiceAccounts, p.account)
}

// among tells whether the pod is one of these.
func (p pod) among(o Others) bool {
	for name, values := range o.Labels {
		if v, ok := p.labels[name]; ok && slices.Contains(values, v) {
			return false
		}
	}
	return !slices.Contains(o.Clusters, p.cluster) && !slices.Contains(o.Namespaces, p.namespace) && !slices.Contains(o.ServiceAccounts, p.account)
}

// Whoever is not let in is among the others, and nobody else is.
func TestOthersAreTheRest(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	some := func(of ...string) []string {
		var out []string
		for _, v := range of {
			if dice.IntN(3) == 0 {
				out = append(out, v)
			}
		}
		return out
	}
	for n := range 2000 {
		a := &Access{}
		for range dice.IntN(4) {
			r := AccessRule{AccessRule: v1alpha1.AccessRule{Namespaces: some("n1", "n2"), ServiceAccounts: some("s1", "s2"), PodLabels: map[string]string{}}}
			for _, name := range some("l1", "l2") {
				r.PodLabels[name] = []string{"x", "y"}[dice.IntN(2)]
			}
			for _, name := range some("c1", "c2", "c3") {
				r.Clusters = append(r.Clusters, AccessCluster{Name: name})
			}
			if dice.IntN(4) == 0 {
				r.Ports = []v1alpha1.PortNumber{[]v1alpha1.PortNumber{80, 81}[dice.IntN(2)]}
			}
			a.Allow = append(a.Allow, r)
		}
		others, ok := a.Others(80)
		if !ok {
			t.Fatalf("%d: too many: %+v", n, a)
		}
		for range 50 {
			p := pod{cluster: fmt.Sprint("c", 1+dice.IntN(4)), namespace: fmt.Sprint("n", 1+dice.IntN(3)), account: fmt.Sprint("s", 1+dice.IntN(3)), labels: map[string]string{}}
			for _, name := range some("l1", "l2") {
				p.labels[name] = []string{"x", "y"}[dice.IntN(2)]
			}
			allowed := slices.ContainsFunc(a.Allow, p.meets)
			if denied := slices.ContainsFunc(others, p.among); allowed == denied {
				t.Fatalf("%d: %+v is allowed %v and denied %v\n%+v\n%+v", n, p, allowed, denied, a, others)
			}
		}
	}
}

func TestTooManyOthers(t *testing.T) {
	a := &Access{}
	for i := range 4 {
		labels := map[string]string{}
		for j := range 3 {
			labels[fmt.Sprintf("l%d-%d", i, j)] = "x"
		}
		a.Allow = append(a.Allow, AccessRule{AccessRule: v1alpha1.AccessRule{PodLabels: labels}, Clusters: []AccessCluster{{Name: fmt.Sprint("c", i)}}})
	}
	if others, ok := a.Others(80); ok {
		t.Errorf("%d sets of pods are not too many", len(others))
	}
}

// An entry with very many labels is refused before its sets are compared.
func TestVeryManyLabels(t *testing.T) {
	labels := map[string]string{}
	for i := range 100000 {
		labels[fmt.Sprint("l", i)] = "x"
	}
	a := &Access{Allow: []AccessRule{{AccessRule: v1alpha1.AccessRule{PodLabels: labels}}}}
	if _, ok := a.Others(80); ok {
		t.Error("more sets than can be told apart")
	}
}
