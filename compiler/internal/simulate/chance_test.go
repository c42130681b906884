// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// chance makes models.
type chance struct{ *rand.Rand }

// one chooses from a list.
func one[T any](c chance, all ...T) T { return all[c.IntN(len(all))] }

// some chooses each with a probability of one in n.
func some[T any](c chance, n int, all []T) []T {
	var out []T
	for _, x := range all {
		if c.IntN(n) == 0 {
			out = append(out, x)
		}
	}
	return out
}

var versions = []string{"v1", "v2", "v3"}

func (c chance) model() model {
	var m model
	provider := one(c, "istio", "istio", "istio", "fairlead", "mixed")
	for i := range 2 + c.IntN(3) {
		out := cluster{name: fmt.Sprintf("c%d", i+1), provider: provider, gateways: one(c, 1, 1, 1, 2, 3), pods: map[string][]string{},
			region: one(c, "", "eu", "eu", "us")}
		if out.region != "" {
			out.zone = one(c, "", "a", "b")
		}
		if provider == "mixed" {
			out.provider = one(c, "istio", "fairlead")
		}
		m.clusters = append(m.clusters, out)
	}
	for i := range 1 + c.IntN(2) {
		m.policies = append(m.policies, c.policy(m, fmt.Sprintf("s%d", i+1)))
	}
	for i := range m.clusters {
		for _, p := range m.policies {
			if c.IntN(8) > 0 {
				m.clusters[i].pods[p.service] = some(c, 1+c.IntN(2), versions)
			}
		}
	}
	c.world(&m)
	return m
}

// world loses clusters and pods.
func (c chance) world(m *model) {
	m.lost, m.health = nil, nil
	for _, x := range m.clusters {
		if c.IntN(4) == 0 {
			m.lost = append(m.lost, x.name)
		}
		for _, p := range m.policies {
			for _, v := range x.pods[p.service] {
				if c.IntN(3) == 0 {
					m.health = append(m.health, health{x.name, p.service, v, one[int64](c, 0, 10, 33, 50, 70, 71, 72, 90, c.Int64N(101))})
				}
			}
			if c.IntN(6) == 0 {
				m.health = append(m.health, health{x.name, p.service, "", c.Int64N(101)})
			}
		}
	}
}

func (c chance) policy(m model, service string) policy {
	out := policy{service: service, protocols: []string{one(c, "http", "http", "grpc", "tcp")},
		minHealthy: one(c, "", "", "71%", "70%", "72%", fmt.Sprintf("%d%%", c.IntN(101)))}
	istio := slices.ContainsFunc(m.clusters, func(x cluster) bool { return x.provider == "istio" })
	if !istio {
		out.protocols[0] = one(c, "tcp", "udp")
	}
	if c.IntN(3) == 0 {
		out.protocols = append(out.protocols, one(c, out.protocols[0], "tcp"))
	}
	var names []string
	for _, x := range m.clusters {
		names = append(names, x.name)
	}
	requests := out.protocols[0] != "tcp" && out.protocols[0] != "udp" && len(out.protocols) == 1
	last := 0
	if requests && c.IntN(2) == 0 {
		last = 1 + c.IntN(3)
	}
	for i := range last + 1 {
		out.rules = append(out.rules, c.rule(names, i == last, requests, istio))
	}
	if c.IntN(6) == 0 && last == 0 {
		out.rules = nil
	}
	if c.IntN(2) == 0 || out.rules == nil || slices.ContainsFunc(out.rules, func(r rule) bool { return len(r.backends) == 0 }) {
		out.exports = append(some(c, 2, names), names[0])
		slices.Sort(out.exports)
		out.exports = slices.Compact(out.exports)
	}
	if c.IntN(2) == 0 {
		out.imports = some(c, 2, names)
	}
	if istio && c.IntN(3) == 0 {
		out.more = append(out.more, "resilience: {outlierDetection: {maxEjectionPercent: 100}}")
	}
	if istio {
		out.more = append(out.more, c.security(names, requests)...)
	}
	return out
}

func (c chance) rule(clusters []string, last, requests, istio bool) rule {
	var out rule
	if !last {
		for range 1 + c.IntN(2) {
			out.matches = append(out.matches, c.match())
		}
	}
	if requests {
		out.more = c.actions(clusters, istio)
	}
	if slices.ContainsFunc(out.more, answers) || c.IntN(6) == 0 {
		return out
	}
	type pods struct{ cluster, version string }
	seen := map[pods]bool{}
	for range 1 + c.IntN(4) {
		b := backend{cluster: one(c, clusters...), weight: one(c, 0, 1, 1, 2, 3, 75, 10), priority: one(c, 0, 0, 0, 1, 1, 2)}
		if istio {
			b.version = one(c, "", "", "v1", "v2", "v3")
		}
		if !seen[pods{b.cluster, b.version}] {
			out.backends = append(out.backends, b)
		}
		seen[pods{b.cluster, b.version}] = true
	}
	return out
}
