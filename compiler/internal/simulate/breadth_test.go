// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"regexp"
	"slices"
)

// aspect is something that random fleets must have among them, so that the
// property test says something of it.
type aspect struct {
	name string
	// in the text of a model.
	in *regexp.Regexp
	// among so many fleets there must be one.
	among int
}

// What is in every tenth fleet or so, and what is rarer.
const amongFew, amongMany = 100, 2000

// common are the aspects that a short run must meet.
var common = []string{"http", "grpc", "tcp", "udp", "tls", "several ports", "subsets", "priorities", "minHealthy", "another service", "methods", "headers", "queries",
	"redirects", "affinity", "access", "istio", "cilium", "fairlead", "gateways of Envoy Gateway", "one istiod", "several providers", "draining", "lost clusters",
	"unhealthy pods", "gatewayHealth", "twoTiers"}

// breadth is all that must be met.
func breadth() []aspect {
	var out []aspect
	for _, a := range [][2]string{
		{"http", `protocol: http`}, {"grpc", `protocol: grpc`}, {"tcp", `protocol: tcp`}, {"udp", `protocol: udp`}, {"tls", `protocol: tls`},
		{"several ports", `port: 81,`}, {"a backend's port", `, port: 8[01], weight`},
		{"subsets", `subset: `}, {"priorities", `priority: 1`}, {"three tiers", `priority: 2`},
		{"minHealthy", `minHealthy: `}, {"another service", `service: s1, `},
		{"exact paths", `path: .exact`}, {"path prefixes", `path: .prefix`}, {"path patterns", `path: .regex`}, {"methods", `methods: `}, {"headers", `headers: `},
		{"queries", `query: `}, {"authorities", `authority: `}, {"callers' namespaces", `source: .namespaces`}, {"callers' labels", `source: .labels`},
		{"redirects", `redirect: `}, {"direct responses", `directResponse: `}, {"rewrites", `rewrite: `}, {"request headers", `requestHeaders: `}, {"response headers", `responseHeaders: `},
		{"mirrors", `mirror: `}, {"timeouts", `timeout: `}, {"retries", `retries: `}, {"delays", `delay: `}, {"aborts", `abort: `}, {"cors", `cors: `}, {"affinity", `sessionAffinity: `},
		{"access", `access: .allow`}, {"access by namespace", `allow: .*namespaces: `}, {"access by account", `allow: .*serviceAccounts: `}, {"access by cluster", `allow: .*clusters: `},
		{"access by method", `allow: .*methods: `}, {"access by path", `allow: .*paths: `}, {"access by port", `allow: .*ports: `}, {"default deny", `default: deny`},
		{"mutual TLS", `mode: mutual`}, {"clear text", `mode: disable`},
		{"gateways of Istio", `(?s)frontends: .*northSouth: istio`}, {"gateways of Envoy Gateway", `northSouth: envoy-gateway`}, {"wildcard hostnames", `'\*\.example`},
		{"istio", `eastWest: istio`}, {"cilium", `eastWest: cilium`}, {"fairlead", `gateways: ..name: gw, node: n..}\n`}, {"one istiod", `controlPlane: c1`}, {"one istiod, one network", `network: shared-flat`}, {"one istiod beside another", `(?s)controlPlane: c1.*northSouth: istio}, istio: `},
		{"istio through tunnels", `(?s)tunnel: fairlead.*tunnel: fairlead`}, {"one trust domain", `northSouth: istio}, istio: .trustDomain: set.local`},
		{"several providers", `(?s)eastWest: istio.*(?:eastWest: cilium|\bc[0-9], gateways: ..name)|eastWest: cilium.*eastWest: istio`},
		{"hub and spoke", `mode: hubAndSpoke`}, {"groups", `mode: groups`}, {"draining", `state: "draining"`}, {"lost clusters", `lost: .c`}, {"unhealthy pods", `(?m)^health: `},
		{"headless", `(?m)^headless: `}, {"names that say nothing", `(?m)^port names`}, {"declared ports", `(?m)^appProtocols of .*"(?:http|tcp|https|mysql|udp)"`}, {"several gateways", `addresses: .192.0.2.[0-9]+, `}, {"regions", `region: "`},
		{"gatewayHealth", `name: gatewayHealth`}, {"pooledFailover", `name: pooledFailover`}, {"headOnly", `name: headOnly`}, {"fallbackByPods", `name: fallbackByPods`}, {"otherAlone", `name: otherAlone`},
		{"subsetSiblings", `name: subsetSiblings`}, {"clusterIdentity", `name: clusterIdentity`}, {"weights", `name: weights`}, {"affinityAtZero", `name: affinityAtZero`}, {"twoTiers", `name: twoTiers`},
	} {
		among := amongMany
		if slices.Contains(common, a[0]) {
			among = amongFew
		}
		out = append(out, aspect{a[0], regexp.MustCompile(a[1]), among})
	}
	return out
}

// aspects are compiled once.
var aspects = breadth()

// meet notes what a fleet has, if any of its answers were compared.
func (n *tally) meet(m model, compared bool) {
	if n.Met == nil {
		n.Met = map[string]int{}
	}
	if !compared {
		return
	}
	text := m.String()
	for _, a := range aspects {
		if a.in.MatchString(text) {
			n.Met[a.name]++
		}
	}
}
