// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"fmt"
	"slices"
	"testing"
)

// Fleets in which objects once did something else than the policies meant, cut
// down to what mattered.
func TestFleetsFoundByChance(t *testing.T) {
	for _, m := range []struct {
		name string
		model
	}{
		{"one istiod sends to a cluster of another", found(beside(), policy{service: "s1", exports: []string{"c3"}})},
		{"one istiod shares with a cluster of another", found(beside(), policy{service: "s1", exports: []string{"c2", "c3"}})},
		{"a head that nobody has seen, and a cluster of another istiod", found(without(beside(), "c1"), policy{service: "s1", exports: []string{"c1", "c3"}})},
		{"a name that means two subsets behind one istiod", found(beside(), policy{service: "s1", exports: []string{"c1", "c2"}, imports: []string{"c3"},
			rules: []rule{{backends: []backend{{cluster: "c1", version: "v1", weight: 1}, {cluster: "c2", version: "v2", weight: 1, priority: 1}}}}}, "c1")},
		{"a name that means two clusters of one network", found(flat(beside()), policy{service: "s1", exports: []string{"c1", "c2"}, imports: []string{"c3"},
			rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}, {cluster: "c2", weight: 1, priority: 1}}}}}, "c1")},
		{"a draining backend that stands alone", found(draining(apart(1, 1, 1), 1), policy{service: "s1", exports: []string{"c1", "c3"},
			rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}, {cluster: "c2", port: 80, weight: 1}, {cluster: "c3", weight: 1, priority: 1}}}}})},
		{"pods of a lower tier that are all seen", found(flat(shared(2)), policy{service: "s1", exports: []string{"c1", "c2"}, imports: []string{"c1"}},
			health{"c1", "s1", "", 10}, health{"c2", "s1", "", 66})},
		{"a gateway of two clusters of one network", found(twoNetworks(), policy{service: "s1", exports: []string{"c1", "c2", "c3"},
			rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}, {cluster: "c2", weight: 1, priority: 1}, {cluster: "c3", weight: 1, priority: 1}}}}})},
		{"two rules that divide a lower tier in other ways", found(apart(1, 1, 1), policy{service: "s1", exports: []string{"c1", "c2", "c3"}, imports: []string{"c1"},
			rules: []rule{
				{matches: []string{"{methods: [GET]}"}, backends: []backend{{cluster: "c2", weight: 1}, {cluster: "c1", weight: 1, priority: 1}, {cluster: "c3", weight: 1, priority: 1}}},
				{backends: []backend{{cluster: "c2", weight: 1}, {cluster: "c1", weight: 2, priority: 1}, {cluster: "c3", weight: 1, priority: 1}}},
			}}, "c2")},
		{"a draining backend of a lower tier", found(draining(apart(1, 1, 1), 1), policy{service: "s1", exports: []string{"c1", "c3"},
			rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}, {cluster: "c2", weight: 1, priority: 1}, {cluster: "c3", weight: 1, priority: 1}}}}},
			health{"c1", "s1", "", 8})},
		{"a draining backend of a lower tier at Envoy Gateway", found(draining(edges(3), 1), policy{service: "s1", exports: []string{"c1", "c3"}, imports: []string{"c1"},
			more:  []string{"frontends: [{gateway: {name: edge}, hostnames: [www.example.com]}]"},
			rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}, {cluster: "c2", weight: 1, priority: 1}, {cluster: "c3", weight: 1, priority: 1}}}}},
			health{"c1", "s1", "", 1})},
		{"a name that Cilium does not have yet", found(scaled(without(cilium(2), "c2"), "c1"), policy{service: "s1", protocols: []string{"tcp"}, exports: []string{"c2"}, more: []string{"access: {allow: []}"}})},
		{"a cluster of another istiod beside one that drains", found(draining(beside(), 0), policy{service: "s1", exports: []string{"c2", "c3"}, imports: []string{"c1"},
			rules: []rule{{backends: []backend{{cluster: "c3", weight: 1}, {cluster: "c2", port: 80, weight: 1, priority: 1}, {cluster: "c1", weight: 1}}}}})},
		{"another service behind one istiod for several clusters", found(beside(),
			policy{service: "s1", exports: []string{"c1", "c2"}, imports: []string{"c1"}, rules: []rule{{backends: []backend{{cluster: "c1", weight: 1}}}}},
			policy{service: "s2", exports: []string{"c3"}, imports: []string{"c3"}, rules: []rule{{backends: []backend{{cluster: "c1", service: "s1", weight: 1}}}}})},
		{"another service that is headless, through a tunnel", found(apart(0, 0),
			policy{service: "s1", exports: []string{"c1"}, headless: true},
			policy{service: "s2", exports: []string{"c2"}, rules: []rule{{backends: []backend{{cluster: "c1", service: "s1", weight: 1}}}}})},
		{"callers in clear text through a tunnel", found(apart(0, 0), policy{service: "s1", exports: []string{"c2"}, more: []string{"tls: {mode: disable}"}})},
		{"a subset at home below a cluster behind a tunnel", found(apart(0, 0), policy{service: "s1", exports: []string{"c1", "c2"},
			rules: []rule{{backends: []backend{{cluster: "c2", weight: 1}, {cluster: "c1", version: "v1", weight: 1}}}}}, "c2")},
		{"another service that lets in who cannot be told apart", found(alike(apart(1, 1)),
			policy{service: "s1", exports: []string{"c1"}, more: []string{"access: {allow: [{clusters: [c2]}]}"}},
			policy{service: "s2", exports: []string{"c1"}, rules: []rule{{backends: []backend{{cluster: "c1", service: "s1", weight: 1}}}}})},
	} {
		t.Run(m.name, func(t *testing.T) {
			var n tally
			if why := check(&m.model, &n); why != "" {
				t.Errorf("%s\n%s", why, m.model)
			}
			if n.Compared == 0 {
				t.Errorf("nothing was compared: %d were refused, %d wait for something\n%s", n.Refused, n.Pending, m.model)
			}
		})
	}
}

// apart are clusters with an istiod each, with so many addresses of gateways;
// where there are none, with tunnels.
func apart(gateways ...int) []cluster {
	var out []cluster
	for i, n := range gateways {
		out = append(out, cluster{name: fmt.Sprintf("c%d", i+1), provider: "istio", gateways: n})
	}
	return out
}

// shared are clusters that have one istiod, each in a network of its own.
func shared(n int) []cluster {
	out := apart(slices.Repeat([]int{1}, n)...)
	for i := range out {
		out[i].shared = true
	}
	return out
}

// beside are two clusters with one istiod, and a third with its own.
func beside() []cluster {
	out := shared(3)
	out[2].shared = false
	return out
}

// flat has those with one istiod in one network.
func flat(all []cluster) []cluster {
	for i := range all {
		all[i].flat = true
	}
	return all
}

// twoNetworks are three clusters with one istiod, the first two in one network.
func twoNetworks() []cluster {
	out := shared(3)
	out[0].flat, out[1].flat = true, true
	return out
}

// edges are clusters with Envoy Gateway.
func edges(n int) []cluster {
	out := apart(make([]int, n)...)
	for i := range out {
		out[i].provider = "envoy-gateway"
	}
	return out
}

// cilium are clusters that have Cilium, and its implementation of the MCS API.
func cilium(n int) []cluster {
	out := apart(make([]int, n)...)
	for i := range out {
		out[i].provider, out[i].discovery = "cilium", "existing"
	}
	return out
}

// alike gives all one trust domain.
func alike(all []cluster) []cluster {
	for i := range all {
		all[i].trust = "set.local"
	}
	return all
}

func draining(all []cluster, i int) []cluster {
	all[i].state = "draining"
	return all
}

// scaled leaves a cluster without pods.
func scaled(all []cluster, name string) []cluster {
	for i := range all {
		if all[i].name == name {
			all[i].pods = map[string][]string{"s1": nil}
		}
	}
	return all
}

// without leaves a cluster without any Service.
func without(all []cluster, name string) []cluster {
	for i := range all {
		if all[i].name == name {
			all[i].pods = map[string][]string{}
		}
	}
	return all
}

// found is a model of these clusters, with all versions of every service where
// nothing else is said; some of them are lost.
func found(clusters []cluster, more ...any) model {
	out := model{clusters: clusters}
	for _, x := range more {
		switch x := x.(type) {
		case policy:
			if x.protocols == nil {
				x.protocols = []string{"http"}
			}
			out.policies = append(out.policies, x)
		case health:
			out.health = append(out.health, x)
		case string:
			out.lost = append(out.lost, x)
		}
	}
	for i := range out.clusters {
		if c := &out.clusters[i]; c.pods == nil {
			c.pods = map[string][]string{}
			for _, p := range out.policies {
				c.pods[p.service] = versions
			}
		}
	}
	return out
}
