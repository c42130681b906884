// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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
	provider := one(c, "istio", "istio", "istio", "fairlead", "cilium", "envoy-gateway", "mixed")
	shared := provider == "istio" && c.IntN(4) == 0
	flat, tunnels, trust := c.IntN(4) == 0, c.IntN(8) == 0, one(c, "", "", "", "set.local")
	for i := range 2 + c.IntN(3) {
		out := cluster{shared: shared, flat: flat && c.IntN(4) > 0, trust: trust, name: fmt.Sprintf("c%d", i+1), provider: provider, discovery: one(c, "existing", "fairlead"), gateways: one(c, 1, 1, 1, 1, 2, 3), pods: map[string][]string{},
			region: one(c, "", "eu", "eu", "us")}
		if out.region != "" {
			out.zone = one(c, "", "a", "b")
		}
		if provider == "mixed" {
			out.provider = one(c, "istio", "fairlead", "cilium")
		}
		if provider == "istio" && !shared && (tunnels || c.IntN(16) == 0) {
			out.gateways = 0 // through tunnels
		}
		if c.IntN(12) == 0 {
			out.state = "draining"
		}
		m.clusters = append(m.clusters, out)
	}
	if shared && len(m.clusters) > 2 && c.IntN(2) == 0 {
		m.clusters[len(m.clusters)-1].shared = false // one that has an istiod of its own
	}
	m.set = c.set(m)
	several := 1 + c.IntN(2)
	if provider == "envoy-gateway" {
		several = 1 // they would share the hostname
	}
	for i := range several {
		m.policies = append(m.policies, c.policy(m, fmt.Sprintf("s%d", i+1)))
	}
	for i := range m.clusters {
		for _, p := range m.policies {
			if c.IntN(12) > 0 || p.mirrors(m.clusters[i].name) {
				m.clusters[i].pods[p.service] = some(c, 1+c.IntN(2), versions)
			}
			if p.mirrors(m.clusters[i].name) && len(m.clusters[i].pods[p.service]) == 0 {
				m.clusters[i].pods[p.service] = versions[:1]
			}
		}
	}
	c.declare(&m)
	c.world(&m)
	return m
}

// declare lets Services say what their ports speak, or something else.
func (c chance) declare(m *model) {
	for i, p := range m.policies {
		m.policies[i].unnamed = c.IntN(6) == 0
		for j := range m.clusters {
			if c.IntN(10) > 0 {
				continue
			}
			var says []string
			for range p.protocols {
				says = append(says, one(c, "", "http", "grpc", "tcp", "https", "mysql", "udp", "kubernetes.io/h2c", "example.com/own"))
			}
			m.clusters[j].says = maps.Clone(m.clusters[j].says)
			if m.clusters[j].says == nil {
				m.clusters[j].says = map[string][]string{}
			}
			m.clusters[j].says[p.service] = says
		}
	}
}

// set is what a ClusterSet says besides its clusters.
func (c chance) set(m model) []string {
	var out []string
	switch c.IntN(10) {
	case 0:
		out = append(out, "connectivity: {topology: {mode: hubAndSpoke, hubs: [c1]}}")
	case 1:
		out = append(out, "connectivity: {topology: {mode: groups, groups: [{name: a, clusters: [c1, c2]}, {name: b, clusters: ["+m.clusters[len(m.clusters)-1].name+", c1]}]}}")
	}
	if c.IntN(16) == 0 {
		out = append(out, "access: {default: deny}")
	}
	return out
}

// world loses clusters and pods.
func (c chance) world(m *model) {
	m.lost, m.health = nil, nil
	for _, x := range m.clusters {
		if c.IntN(6) == 0 {
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
	// Only clusters that reach each other take part.
	provider := one(c, m.clusters...).provider
	istio := provider == "istio"
	var names []string
	for _, x := range m.clusters {
		if x.provider == provider {
			names = append(names, x.name)
		}
	}
	out := policy{service: service, protocols: []string{one(c, "http", "http", "http", "grpc", "tcp")},
		minHealthy: one(c, "", "", "71%", "70%", "72%", fmt.Sprintf("%d%%", c.IntN(101)))}
	outside := provider == "envoy-gateway"
	steep := outside && c.IntN(2) == 0 // only clusters without callers can be in lower tiers there
	if istio && c.IntN(5) == 0 {
		outside = true
		out.more = []string{"frontends: [{mesh: {}}, {gateway: {name: edge}, hostnames: [" + service + ".example.com, '*.example.com']}]"}
		if service != "s1" {
			out.more[0] = strings.Replace(out.more[0], ", '*.example.com'", "", 1)
		}
	} else if outside {
		out.more = []string{"frontends: [{gateway: {name: edge}, hostnames: [www.example.com]}]"}
	} else if !istio {
		out.protocols[0] = one(c, "tcp", "tcp", "http", "udp", "tls")
	}
	if c.IntN(3) == 0 && !outside {
		out.protocols = append(out.protocols, one(c, out.protocols[0], "tcp"))
	}
	l7 := func(p string) bool { return p == "http" || p == "grpc" }
	requests := (istio || outside) && !slices.ContainsFunc(out.protocols, func(p string) bool { return !l7(p) })
	last := 0
	if requests && c.IntN(2) == 0 {
		last = 1 + c.IntN(3)
	}
	for i := range last + 1 {
		out.rules = append(out.rules, c.rule(names, i == last, kind{requests: requests, subsets: istio || outside, outside: outside, ports: len(out.protocols), others: service != "s1", steep: steep}))
	}
	if c.IntN(6) == 0 && last == 0 {
		out.rules = nil
	}
	out.headless = c.IntN(30) == 0
	out.exports, out.imports = c.reach(m, out, names, steep)
	if istio && c.IntN(3) == 0 {
		out.more = append(out.more, "resilience: {outlierDetection: {maxEjectionPercent: 100}}")
	}
	if provider != "fairlead" && !outside {
		out.more = append(out.more, c.security(names, out.protocols, istio && m.clusters[0].gateways == 0)...)
	}
	return out
}

// reach chooses who exports and who imports a policy's service.
func (c chance) reach(m model, out policy, names []string, steep bool) (exports, imports []string) {
	exports, imports = out.named(some(c, 3, names)), names
	if len(exports) == 0 {
		exports = names[:1]
	}
	if m.set != nil && c.IntN(2) == 0 {
		exports = []string{"c1"} // what everybody reaches
	}
	if c.IntN(3) == 0 {
		imports = append(some(c, 2, names), names[0])
		slices.Sort(imports)
		imports = slices.Compact(imports)
	}
	if steep {
		imports = names[:1]
	}
	return exports, imports
}

// named adds the clusters that backends name.
func (p policy) named(clusters []string) []string {
	for _, r := range p.rules {
		for _, b := range r.backends {
			if b.service == "" {
				clusters = append(clusters, b.cluster)
			}
		}
		for _, line := range r.more {
			if _, rest, ok := strings.Cut(line, "mirror: {backend: {cluster: "); ok {
				clusters = append(clusters, rest[:strings.Index(rest, "}")])
			}
		}
	}
	slices.Sort(clusters)
	return slices.Compact(clusters)
}

// mirrors tells whether copies are sent to a cluster.
func (p policy) mirrors(cluster string) bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool {
		return slices.ContainsFunc(r.more, func(line string) bool { return strings.HasPrefix(line, "mirror: {backend: {cluster: "+cluster+"}") })
	})
}

// kind is what rules can be about.
type kind struct {
	requests, subsets, outside bool
	// ports is the number of ports; others: there is another service. steep: every
	// cluster may stand in a tier of its own.
	ports         int
	others, steep bool
}

func (c chance) rule(clusters []string, last bool, k kind) rule {
	var out rule
	if !last {
		for range 1 + c.IntN(2) {
			out.matches = append(out.matches, c.match(k.outside))
		}
	}
	if k.requests {
		out.more = c.actions(clusters)
	}
	if slices.ContainsFunc(out.more, answers) || c.IntN(6) == 0 {
		return out
	}
	if len(clusters) > 2 && (c.IntN(6) == 0 || k.steep && c.IntN(2) == 0) {
		out.backends = c.ladder(clusters)
		return out
	}
	// A cluster stands in one tier, and only in the first with several subsets.
	tier := map[string]int{}
	for range 1 + c.IntN(4) {
		b := backend{cluster: one(c, clusters...), weight: one(c, 0, 1, 1, 2, 3, 75, 10), priority: one(c, 0, 0, 0, 1, 1, 2)}
		if was, ok := tier[b.cluster]; ok {
			b.priority = was
		}
		tier[b.cluster] = b.priority
		if k.subsets {
			b.version = one(c, "", "", "v1", "v2", "v3")
		}
		if k.ports > 1 && c.IntN(4) == 0 {
			b.port = 80 + c.IntN(k.ports)
		}
		if k.others && c.IntN(8) == 0 {
			b.service = "s1"
		}
		same := func(o backend) bool {
			return o.cluster == b.cluster && o.service == b.service && (o.version == b.version || b.priority > 0)
		}
		if !slices.ContainsFunc(out.backends, same) {
			out.backends = append(out.backends, b)
		}
	}
	for i, b := range out.backends {
		if !slices.ContainsFunc(out.backends, func(o backend) bool { return o.priority == b.priority && o.weight > 0 }) {
			out.backends[i].weight = 1
		}
	}
	return out
}

// ladder has every cluster once: each below the one before it, or all below the
// first.
func (c chance) ladder(clusters []string) []backend {
	var out []backend
	last := one(c, 1, 2)
	for i, name := range clusters {
		out = append(out, backend{cluster: name, weight: 1 + c.IntN(2), priority: min(i, last)})
	}
	return out
}
