// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead/fairlead/compiler/manifest"
)

// EnvoyGateway answers requests from outside as a Gateway of Envoy Gateway does:
// of all routes with the hostname the rule with the most specific match, in the
// order of internal/gatewayapi/sort.go there; all backends of a rule are
// localities of one Envoy cluster, and Backends with fallback its second
// priority.
type EnvoyGateway struct {
	ground Ground
	// l4 knows what is behind an export address.
	l4       *L4
	entries  map[string]*gatewayStore
	exported map[string]map[string]bool
}

// gatewayStore is what the Envoy Gateway of one cluster sees.
type gatewayStore struct {
	routes    []route
	services  []corev1.Service
	backends  map[string]fallbackBackend
	filters   map[string]routeFilter
	traffic   []trafficPolicy
	security  []securityPolicy
	importsOf map[string]bool
}

// NewEnvoyGateway reads the objects of every cluster.
func NewEnvoyGateway(g Ground, stores []manifest.Bundle) *EnvoyGateway {
	out := &EnvoyGateway{ground: g, l4: NewL4(g, stores), entries: map[string]*gatewayStore{}, exported: map[string]map[string]bool{}}
	for name := range g.Sites {
		out.entries[name] = &gatewayStore{backends: map[string]fallbackBackend{}, filters: map[string]routeFilter{}, importsOf: map[string]bool{}}
		out.exported[name] = map[string]bool{}
	}
	for _, b := range stores {
		s := out.entries[b.Store]
		if s == nil {
			continue
		}
		for _, o := range b.Objects() {
			if r := o.Ref(); r.Kind == "ServiceExport" {
				out.exported[b.Store][r.Namespace+"/"+r.Name] = true
			}
			s.add(o)
		}
	}
	return out
}

// add takes in an object that Envoy Gateway reads.
func (s *gatewayStore) add(o manifest.Object) {
	ref, content := o.Ref(), o.Unstructured().Object
	key := ref.Namespace + "/" + ref.Name
	switch ref.Kind {
	case "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute":
		if r := (route{}); decode(content, &r) {
			s.routes = append(s.routes, r)
		}
	case "Service":
		if v := (corev1.Service{}); decode(content, &v) {
			s.services = append(s.services, v)
		}
	case "ServiceImport":
		s.importsOf[key] = true
	case "Backend":
		if v := (fallbackBackend{}); decode(content, &v) {
			s.backends[key] = v
		}
	case "HTTPRouteFilter":
		if v := (routeFilter{}); decode(content, &v) {
			s.filters[key] = v
		}
	case "BackendTrafficPolicy":
		if v := (trafficPolicy{}); decode(content, &v) {
			s.traffic = append(s.traffic, v)
		}
	case "SecurityPolicy":
		if v := (securityPolicy{}); decode(content, &v) {
			s.security = append(s.security, v)
		}
	}
}

// candidateRule is a rule that takes the request.
type candidateRule struct {
	route route
	rule  routeRule
	match routeMatch
	rank  []int
}

// passage is one request at a gateway.
type passage struct {
	*EnvoyGateway
	store   *gatewayStore
	world   World
	request Request
	note    Answer
}

// Answer computes what a request at a gateway gets.
func (g *EnvoyGateway) Answer(w World, r Request) Answer {
	s := g.entries[r.From.Cluster]
	if s == nil || w.lost(r.From.Cluster) {
		return ended(Unreachable, "the gateway's cluster is lost").Early
	}
	p := &passage{EnvoyGateway: g, store: s, world: w, request: r}
	best, ok := p.choose()
	if !ok {
		return ended(NoRoute, "no route takes such a request").Early.status(r.L7(), 404)
	}
	p.note = p.note.step(noPlace, "%s/%s/%s: rule %q", best.route.Kind, best.route.Metadata.Namespace, best.route.Metadata.Name, best.rule.Name)
	if !p.allowed(best) {
		return p.end(Refused, 403)
	}
	if p.answersItself(best) {
		return p.end(p.note.Verdict, p.note.Status)
	}
	if r.L7() {
		p.note.Applied = p.applied(best)
	}
	out := p.note.serve(p.shares(best))
	if out.Verdict == Unreachable {
		return out.status(r.L7(), 503)
	}
	return out
}

func (p *passage) end(v Verdict, status int32) Answer {
	p.note.Verdict, p.note.Unserved = v, one()
	return p.note.status(p.request.L7(), status)
}

// choose finds the rule with the most specific match; of equals the first.
func (p *passage) choose() (candidateRule, bool) {
	var all []candidateRule
	routes := slices.Clone(p.store.routes)
	slices.SortStableFunc(routes, func(a, b route) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	for _, r := range routes {
		if !p.attached(r) || !r.carries(p.request) {
			continue
		}
		hostname, ok := p.hostname(r)
		if !ok {
			continue
		}
		for _, rule := range r.Spec.Rules {
			matches := rule.Matches
			if len(matches) == 0 {
				matches = []routeMatch{{}}
			}
			for _, m := range matches {
				if m.takes(r.Kind, p.request) {
					all = append(all, candidateRule{r, rule, m, append(hostname, m.rank(r.Kind)...)})
				}
			}
		}
	}
	if len(all) == 0 {
		return candidateRule{}, false
	}
	slices.SortStableFunc(all, func(a, b candidateRule) int { return slices.Compare(b.rank, a.rank) })
	return all[0], true
}

// attached tells whether a route is for the gateway.
func (p *passage) attached(r route) bool {
	return slices.ContainsFunc(r.Spec.ParentRefs, func(ref parentRef) bool {
		return ref.Name == p.request.From.Gateway && cmp.Or(ref.Namespace, r.Metadata.Namespace) == p.request.From.Namespace
	})
}

// hostname finds the most specific hostname of a route that means the request's,
// and how specific it is. A route without any takes every one.
func (p *passage) hostname(r route) ([]int, bool) {
	best, found := []int{0, 0}, len(r.Spec.Hostnames) == 0
	for _, h := range r.Spec.Hostnames {
		rank := []int{1, len(h)}
		if strings.HasPrefix(h, "*") {
			rank[0] = 0
		}
		if covers(h, p.request.Host) && slices.Compare(rank, best) >= 0 {
			best, found = rank, true
		}
	}
	return best, found
}

// locality is one backend of a rule as Envoy sees it.
type locality struct {
	weight   int64
	priority int
	hosts    []host
}

// host is one address: pods of the gateway's own cluster, or an export address.
type host struct {
	share Share
	// healthy part as Envoy sees it, and as much as really serves.
	healthy, alive *big.Rat
}

// shares divides requests between the backends of a rule.
func (p *passage) shares(c candidateRule) []Share {
	var levels [2][]locality
	for _, ref := range c.rule.BackendRefs {
		if l, ok := p.locality(c, ref); ok {
			levels[l.priority] = append(levels[l.priority], l)
		}
	}
	var able []*big.Rat
	for _, level := range levels {
		var hosts []host
		for _, l := range level {
			hosts = append(hosts, l.hosts...)
		}
		able = append(able, availability(mean(hosts)))
	}
	var out []Share
	for i, load := range priorityLoad(able) {
		total := zero()
		for _, l := range levels[i] {
			total.Add(total, l.effective())
		}
		if total.Sign() == 0 {
			continue
		}
		for _, l := range levels[i] {
			out = append(out, l.spread(times(load, new(big.Rat).Quo(l.effective(), total)))...)
		}
	}
	return out
}

// mean is the healthy part of hosts.
func mean(hosts []host) *big.Rat {
	out := zero()
	for _, h := range hosts {
		out.Add(out, h.healthy)
	}
	if len(hosts) == 0 {
		return out
	}
	return out.Quo(out, part(int64(len(hosts)), 1))
}

// effective is the weight of a locality as far as its hosts are healthy
// (Envoy, locality weighted load balancing).
func (l locality) effective() *big.Rat {
	return times(part(l.weight, 1), availability(mean(l.hosts)))
}

// spread divides requests between the healthy hosts of a locality.
func (l locality) spread(sent *big.Rat) []Share {
	total := zero()
	for _, h := range l.hosts {
		total.Add(total, h.healthy)
	}
	var out []Share
	for _, h := range l.hosts {
		if h.healthy.Sign() > 0 && h.alive.Sign() > 0 {
			s := h.share
			s.Part = times(sent, new(big.Rat).Quo(h.healthy, total))
			out = append(out, s)
		}
	}
	return out
}
