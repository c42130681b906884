// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// piece is a rule of the policy, or a part of its matches, as one rule of a
// route.
type piece struct {
	plan.Rule
	// name by which policies refer to the rule.
	name string
}

// requests writes the HTTPRoutes or GRPCRoutes, and the policies on them.
func (e *emission) requests() {
	for i, chunk := range chunks(e.pieces()) {
		name := e.name
		if i > 0 {
			name = fmt.Sprintf("%s-%d", e.name, i+1)
		}
		var rules []any
		for _, p := range chunk {
			rules = append(rules, e.rule(p))
		}
		spec := e.parent()
		spec["rules"] = rules
		putList(spec, "hostnames", texts(e.route.Hostnames))
		e.add(e.gatewayKind(e.kind(), name), spec)
		e.policies(name, chunk)
	}
}

// parent is the gateway of the frontend.
func (e *emission) parent() content {
	g := e.route.Gateway
	ref := content{"name": g.Name}
	if g.Namespace != e.route.Namespace {
		ref["namespace"] = g.Namespace
	}
	put(ref, "sectionName", g.Listener)
	return content{"parentRefs": []any{ref}}
}

// sectionName is what a rule may be called.
var sectionName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// pieces divides rules so that each has no more matches than a rule may have,
// and only one where it replaces a prefix.
func (e *emission) pieces() []piece {
	var out []piece
	for i, r := range e.route.Import.Rules {
		name := r.Label
		if !sectionName.MatchString(name) {
			name = fmt.Sprintf("rule-%d", i)
		}
		size := plan.MaxRuleMatches
		if replacesPrefix(r) {
			size = 1
		}
		all := slices.Collect(slices.Chunk(r.Matches, size))
		if len(r.Matches) == 0 {
			all = [][]v1alpha1.Match{nil}
		}
		for j, matches := range all {
			p := piece{r, name}
			p.Matches = matches
			if j > 0 {
				// A dot, which no rule has in its name.
				p.name = fmt.Sprintf("%s.%d", name, j+1)
			}
			out = append(out, p)
		}
	}
	return out
}

// chunks divides rules so that each route has no more than it may have.
func chunks(all []piece) [][]piece {
	var out [][]piece
	matches := 0
	for _, p := range all {
		if last := len(out) - 1; last < 0 || len(out[last]) == plan.MaxRouteRules || matches+len(p.Matches) > plan.MaxRouteMatches {
			out, matches = append(out, nil), 0
		}
		last := len(out) - 1
		out[last], matches = append(out[last], p), matches+len(p.Matches)
	}
	return out
}

func replacesPrefix(r plan.Rule) bool {
	prefix := func(c *v1alpha1.PathChange) bool { return c != nil && c.Prefix != "" }
	return r.Redirect != nil && prefix(r.Redirect.Path) || r.Rewrite != nil && prefix(r.Rewrite.Path)
}

// rule writes one rule of a route.
func (e *emission) rule(p piece) content {
	out := content{"name": p.name}
	var matches []any
	for _, m := range p.Matches {
		if e.grpc() {
			matches = append(matches, grpcMatch(m))
		} else {
			matches = append(matches, httpMatch(m))
		}
	}
	putList(out, "matches", matches)
	putList(out, "filters", e.filters(p))
	if !p.Answers() {
		putList(out, "backendRefs", e.backends(p.Rule))
		if !e.grpc() {
			out["timeouts"] = content{"request": wait(p.Timeout)}
		}
	}
	if a := p.SessionAffinity; a != nil && a.Cookie != nil {
		out["sessionPersistence"] = session(a.Cookie)
	}
	return out
}

// wait is how long a request may take. Envoy ends one after 15 seconds where
// nothing is said (RouteAction, timeout), and zero is no end (GEP-1742).
func wait(d v1alpha1.Duration) string { return cmp.Or(duration(d), "0s") }

// session keeps a caller at the endpoint that it had first.
func session(c *v1alpha1.AffinityCookie) content {
	out := content{"type": "Cookie", "sessionName": c.Name, "cookieConfig": content{"lifetimeType": "Session"}}
	if ttl := duration(c.TTL); ttl != "" {
		out["absoluteTimeout"], out["cookieConfig"] = ttl, content{"lifetimeType": "Permanent"}
	}
	return out
}

func httpMatch(m v1alpha1.Match) content {
	out := content{}
	if p := m.Path; p != nil {
		switch {
		case p.Exact != "":
			out["path"] = content{"type": "Exact", "value": p.Exact}
		case p.Regex != "":
			out["path"] = content{"type": "RegularExpression", "value": p.Regex}
		default:
			out["path"] = content{"type": "PathPrefix", "value": p.Prefix}
		}
	}
	if len(m.Methods) > 0 {
		out["method"] = string(m.Methods[0])
	}
	putList(out, "headers", headerMatches(m))
	var query []any
	for _, q := range m.Query {
		query = append(query, valueMatch(q.Name, q.Exact, q.Regex))
	}
	putList(out, "queryParams", query)
	return out
}

func headerMatches(m v1alpha1.Match) []any {
	var out []any
	for _, h := range m.Headers {
		out = append(out, valueMatch(h.Name, h.Exact, h.Regex))
	}
	return out
}

// valueMatch compares one header or parameter.
func valueMatch(name, exact, regex string) content {
	if exact != "" {
		return content{"type": "Exact", "name": name, "value": exact}
	}
	return content{"type": "RegularExpression", "name": name, "value": regex}
}

// grpcMatch writes a path as the service and method that it stands for.
func grpcMatch(m v1alpha1.Match) content {
	out := content{}
	if m.Path != nil {
		service, method, _ := strings.Cut(strings.Trim(m.Path.Exact+m.Path.Prefix, "/"), "/")
		out["method"] = content{"type": "Exact", "service": service}
		put(out["method"].(content), "method", method)
	}
	putList(out, "headers", headerMatches(m))
	return out
}
