// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// problem is where a policy asks a gateway for something that it does not do.
type problem struct {
	policy *fleet.Policy
	code   string
	// path of the field, and what to write instead.
	path, fix string
}

// errorf is the error with its message.
func (p problem) errorf(format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{Code: p.code, Severity: diag.Error, Position: p.policy.At(p.path), Message: fmt.Sprintf(format, args...), Fix: p.fix}
}

// specific gives the rules matches with which the most specific one is of the
// first rule that was written.
func (g *gatewayPlanner) specific(at atGateway, in *Import) []diag.Diagnostic {
	p := at.policy
	var matches [][]v1alpha1.Match
	for _, r := range in.Rules {
		matches = append(matches, r.Matches)
	}
	o := order(matches, false)
	if o.routes(len(in.Rules)) > 1 {
		// Rules of several HTTPRoutes have no order among equals.
		o = order(matches, true)
	}
	if o.full {
		return []diag.Diagnostic{problem{p, CodeGatewayLimit, "spec.rules", "split the policy, or write fewer matches that overlap"}.errorf("at a gateway that chooses by specificity these rules need more than %d matches", maxConditions)}
	}
	var out []diag.Diagnostic
	said := map[[2]int]bool{}
	for _, c := range o.clashes {
		// Two rules are one mistake, however many of their matches clash.
		pair := [2]int{c.earlier.rule, c.later.rule}
		if said[pair] {
			continue
		}
		said[pair] = true
		earlier, later := p.Rules[c.earlier.rule], p.Rules[c.later.rule]
		d := problem{p, CodeGatewayOrder, matchPath(later, c.later.from), "write the later rule first, or use exact values and prefixes"}.errorf("provider envoy-gateway chooses by specificity, and would choose rule %q before rule %q", later.Label, earlier.Label)
		d.Related = []diag.Related{{Position: p.At(matchPath(earlier, c.earlier.from)), Message: "the earlier match"}}
		out = append(out, d)
	}
	out = append(out, prefixChanges(p, o)...)
	var rules []Rule
	for i, r := range in.Rules {
		found := o.of(i)
		if len(found) == 0 {
			continue
		}
		r.Matches = found
		if slices.ContainsFunc(o.all, func(c owned) bool { return c.rule == i && c.equal(condition{}) }) {
			r.Matches = nil
		}
		rules = append(rules, r)
	}
	in.Rules = rules
	return out
}

// routes is the number of HTTPRoutes that the conditions fill.
func (o ordering) routes(rules int) int {
	count := make([]int, rules)
	for _, c := range o.all {
		count[c.rule]++
	}
	routes, inRoute, matches := 1, 0, 0
	for _, n := range count {
		for ; n > 0; n -= MaxRuleMatches {
			part := min(n, MaxRuleMatches)
			if inRoute == MaxRouteRules || matches+part > MaxRouteMatches {
				routes, inRoute, matches = routes+1, 0, 0
			}
			inRoute, matches = inRoute+1, matches+part
		}
	}
	return routes
}

func matchPath(r fleet.Rule, match int) string {
	if match < 0 {
		return r.Path
	}
	return fmt.Sprintf("%s.matches[%d]", r.Path, match)
}

// prefixChanges: a rule that replaces its prefix cannot have matches with other
// paths, which would be replaced instead.
func prefixChanges(p *fleet.Policy, o ordering) []diag.Diagnostic {
	var out []diag.Diagnostic
	said := map[int]bool{}
	for _, c := range o.all {
		r := p.Rules[c.rule]
		if !c.made || said[c.rule] || !changesPrefix(r.Rule) || c.path.kind == prefixPath && c.path == conditionsOf(r.Matches[c.from])[0].path {
			continue
		}
		said[c.rule] = true
		out = append(out, problem{p, CodeGatewayPrefix, matchPath(r, c.from), "give the later rule other paths, or replace the whole path"}.errorf("rule %q replaces the prefix of paths that a later rule has a longer one for, and provider envoy-gateway would replace the longer one", r.Label))
	}
	return out
}

// changesPrefix tells whether a rule replaces the prefix that it matched.
func changesPrefix(r v1alpha1.Rule) bool {
	prefix := func(c *v1alpha1.PathChange) bool { return c != nil && c.Prefix != "" }
	return r.Redirect != nil && prefix(r.Redirect.Path) || r.Rewrite != nil && prefix(r.Rewrite.Path)
}

// checkPlaces: a backend in another cluster is reached by tunnel, and the second
// tier of Envoy Gateway consists of addresses, of which pods of the gateway's
// own cluster have none that stays.
func (g *gatewayPlanner) checkPlaces(at atGateway, rules []Rule) []diag.Diagnostic {
	var out []diag.Diagnostic
	for _, r := range rules {
		for i, tier := range r.Tiers {
			for _, b := range tier {
				if b.Lost {
					continue
				}
				to := at.service.Set.Cluster(b.Cluster)
				if !b.Local && !(to.Tunnels() && at.cluster.Tunnels()) {
					d := problem{at.policy, CodeGatewayReach, b.path, "give both clusters tunnels, or use another cluster"}.errorf("gateway %s/%s in %s reaches pods of other clusters by tunnel, and there is none to %q", at.frontend.Namespace, at.frontend.Name, at.cluster.Name, b.Cluster)
					d.Related = []diag.Related{{Position: to.At(".providers"), Message: "its providers"}}
					out = append(out, d)
				}
				if i > 0 && b.Local {
					out = append(out, problem{at.policy, CodeGatewayFallback, b.path, "give it priority 0, or make the clusters share one priority"}.errorf("the second tier of provider envoy-gateway is made of addresses, and pods of the gateway's own cluster %q have none that stays", b.Cluster))
				}
			}
		}
	}
	return out
}

// gatewayAccess plans who may come in: at a gateway callers have neither cluster
// nor namespace, only what they ask for.
func (g *gatewayPlanner) gatewayAccess(at atGateway, refused *[]diag.Diagnostic) *Access {
	a := at.service.Access
	if a == nil {
		return nil
	}
	support := rowOf(OutsideCallers).EnvoyGateway
	refuse := func(p *fleet.Policy, path, fix string) *Access {
		*refused = append(*refused, problem{p, CodeGatewayAccess, path, fix}.errorf("%s, so that none would be let in at gateway %s/%s", support.Refusal, at.frontend.Namespace, at.frontend.Name))
		return nil
	}
	if a.By == nil {
		return refuse(at.policy, at.frontend.Path+".gateway", "write an access block with methods or paths, or remove the gateway")
	}
	open := false
	out := &Access{}
	for _, r := range a.Allow {
		if len(r.Clusters)+len(r.Namespaces)+len(r.ServiceAccounts)+len(r.PodLabels) > 0 {
			return refuse(a.By, r.Path, support.Fix)
		}
		open = open || len(r.Methods)+len(r.Paths) == 0
		out.Allow = append(out.Allow, AccessRule{All: true, AccessRule: r.AccessRule})
	}
	if len(a.Allow) == 0 {
		return refuse(a.By, "spec.access", "add an entry, or remove the gateway")
	}
	if open {
		return nil
	}
	return out
}

// checkRequests finds what a route of the Gateway API has no words for.
func (g *gatewayPlanner) checkRequests(at atGateway, r Route) []diag.Diagnostic {
	p := at.policy
	var out []diag.Diagnostic
	refuse := func(path, fix, format string, args ...any) {
		out = append(out, problem{p, CodeGatewayMatch, path, fix}.errorf(format, args...))
	}
	grpc := slices.ContainsFunc(r.Ports, func(q Port) bool { return q.Protocol == v1alpha1.ProtocolGRPC })
	lacks := func(f Feature, path, detail string) {
		support := rowOf(f).EnvoyGateway
		refuse(path, support.Fix, "%s%s", support.Refusal, detail)
	}
	for _, rule := range p.Rules {
		for i, m := range rule.Matches {
			path := matchPath(rule, i)
			for j, h := range m.Headers {
				if h.Present != nil && !*h.Present {
					lacks(HeaderAbsent, fmt.Sprintf("%s.headers[%d].present", path, j), "")
				}
			}
			if grpc && !grpcMatch(m) {
				refuse(path, "match a path of the form /package.Service or /package.Service/Method, and headers", "a route of gRPC is chosen by service, method and headers alone")
			}
		}
		if grpc && (rule.Redirect != nil || rule.Rewrite != nil) {
			refuse(rule.Path, "remove redirect and rewrite, or write protocol: http", "a route of gRPC cannot be redirected or rewritten")
		}
		if d := rule.Redirect; d != nil && d.Status != 0 && d.Status != 301 && d.Status != 302 {
			lacks(RedirectStatus, rule.Path+".redirect.status", fmt.Sprintf(", not %d", d.Status))
		}
		if a := rule.SessionAffinity; a != nil && a.Cookie != nil && strings.Trim(a.Cookie.Path, "/") != "" {
			lacks(CookiePath, rule.Path+".sessionAffinity.cookie.path", "")
		}
		if d := rule.DirectResponse; grpc && d != nil && d.Status < 300 {
			refuse(rule.Path+".directResponse.status", "use a status of 400 or more", "a caller of gRPC cannot be answered with status %d", d.Status)
		}
		if rule.CORS != nil {
			for i, o := range rule.CORS.AllowOrigins {
				if o.Exact == "" {
					lacks(OriginPatterns, fmt.Sprintf("%s.cors.allowOrigins[%d]", rule.Path, i), "")
				}
			}
		}
	}
	return append(out, checkAffinity(p, r)...)
}

// grpcMatch tells whether a match can be one of a GRPCRoute.
func grpcMatch(m v1alpha1.Match) bool {
	if len(m.Methods)+len(m.Query) > 0 {
		return false
	}
	if m.Path == nil {
		return true
	}
	elements := func(path string) int { return len(strings.Split(strings.Trim(path, "/"), "/")) }
	return m.Path.Exact != "" && elements(m.Path.Exact) == 2 || m.Path.Prefix != "" && elements(m.Path.Prefix) == 1
}

// checkAffinity: Envoy Gateway hashes over all endpoints of a rule, whatever
// the weights.
func checkAffinity(p *fleet.Policy, r Route) []diag.Diagnostic {
	var out []diag.Diagnostic
	for i, rule := range r.Import.Rules {
		if a := rule.SessionAffinity; a != nil && a.Cookie == nil && rule.count() > 1 {
			out = append(out, problem{p, CodeGatewayAffinity, p.Rules[i].Path + ".sessionAffinity", "use a cookie, or one backend"}.errorf("provider envoy-gateway hashes over all endpoints of a rule and ignores the weights of its %d backends", rule.count()))
		}
	}
	return out
}
