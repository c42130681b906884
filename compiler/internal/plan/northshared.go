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

// servedAt is a hostname at a gateway, or the gateway itself for connections
// that name none.
type servedAt struct {
	cluster       *fleet.Cluster
	gateway, host string
}

// served is what one policy answers there.
type served struct {
	policy   *fleet.Policy
	frontend fleet.Frontend
	// conditions are empty for connections.
	conditions []owned
}

// serve notes what a policy answers at a gateway, from the documents alone.
func (g *gatewayPlanner) serve(at atGateway) {
	out := served{policy: at.policy, frontend: at.frontend}
	hosts := at.frontend.Hostnames
	s := at.service
	switch {
	case len(s.Ports) > 0 && !slices.ContainsFunc(s.Ports, fleet.Port.L7):
		if !slices.ContainsFunc(s.Ports, func(p fleet.Port) bool { return p.Protocol == v1alpha1.ProtocolTLS }) {
			hosts = []v1alpha1.Hostname{""}
		}
	default:
		var matches [][]v1alpha1.Match
		for _, r := range at.policy.Rules {
			matches = append(matches, r.Matches)
		}
		out.conditions = order(matches, false).all
	}
	for _, host := range hosts {
		key := servedAt{at.cluster, at.frontend.Namespace + "/" + at.frontend.Name, string(host)}
		if g.served[key] == nil {
			g.order = append(g.order, key)
		}
		g.served[key] = append(g.served[key], out)
	}
}

// shared reports policies that answer the same requests at a gateway: among
// several the most specific match is chosen, and among equals nothing that
// anybody wrote decides.
func (g *gatewayPlanner) shared() {
	said := map[string]bool{}
	for _, at := range g.order {
		all := g.served[at]
		for i, second := range all {
			for _, first := range all[:i] {
				if first.policy == second.policy || !sameListener(first.frontend, second.frontend) {
					continue
				}
				d, found := equals(at, first, second)
				if found && !said[d.Position.String()+d.Message] {
					said[d.Position.String()+d.Message] = true
					g.diags = append(g.diags, d)
				}
			}
		}
	}
}

// sameListener tells whether two frontends may be the same listener.
func sameListener(a, b fleet.Frontend) bool {
	return a.Listener == "" || b.Listener == "" || a.Listener == b.Listener
}

// equals finds matches of two policies between which nothing decides.
func equals(at servedAt, first, second served) (diag.Diagnostic, bool) {
	where := "gateway " + at.gateway
	if at.host != "" {
		where = at.host + " at " + where
	}
	report := func(a, b string, what string) (diag.Diagnostic, bool) {
		p := second.policy
		d := problem{p, CodeGatewayShared, b, "make one of them more specific, or use other hostnames"}.errorf("policies %s/%s and %s/%s %s %s", first.policy.Namespace, first.policy.Name, p.Namespace, p.Name, what, where)
		d.Related = []diag.Related{{Position: first.policy.At(a), Message: "the other one"}}
		return d, true
	}
	if len(first.conditions) == 0 || len(second.conditions) == 0 {
		if len(first.conditions)+len(second.conditions) > 0 {
			return diag.Diagnostic{}, false // different protocols have different listeners
		}
		return report(first.frontend.Path, second.frontend.Path, "both take every connection for")
	}
	for _, b := range second.conditions {
		for _, a := range first.conditions {
			if a.precedence(b.condition) != 0 {
				continue
			}
			_, verdict := a.meet(b.condition)
			if verdict == never {
				continue
			}
			what := "have matches of the same specificity, which one request can meet, for"
			if a.equal(b.condition) {
				what = "have equal matches for"
			}
			return report(matchPath(first.policy.Rules[a.rule], a.from), matchPath(second.policy.Rules[b.rule], b.from), what)
		}
	}
	return diag.Diagnostic{}, false
}

// The codes of requests from outside.
const (
	CodeGatewayOrder    = "FL1430"
	CodeGatewayMatch    = "FL1431"
	CodeGatewayPrefix   = "FL1432"
	CodeGatewayLimit    = "FL1433"
	CodeGatewayShared   = "FL1434"
	CodeNoNorthSouth    = "FL1435"
	CodeGatewayAccess   = "FL1436"
	CodeGatewayFallback = "FL1437"
	CodeGatewayPort     = "FL1438"
	CodeGatewayAffinity = "FL1439"
	CodeGatewayReach    = "FL1440"
)

// northSouthCodes are the codes of requests from outside.
func northSouthCodes() []diag.Code {
	what := func(id, title string, text ...string) diag.Code {
		return diag.Code{ID: id, Title: title, Doc: strings.Join(text, " ")}
	}
	return []diag.Code{
		what(CodeGatewayOrder, "a later rule would be chosen", "Envoy Gateway chooses the most specific match, not the first. Where a later rule would win, Fairlead gives the earlier one the conditions of both;",
			"with two expressions for one value there are none. Write the later rule first, or use exact values and prefixes."),
		what(CodeGatewayMatch, "nothing like it at a gateway", "Routes of the Gateway API have no words for a condition or an action of the rule. The message says which, and what to write instead."),
		what(CodeGatewayPrefix, "the wrong prefix would be replaced", "A rule replaces the prefix that it matched, and a later rule has a longer one. Fairlead would have to give the rule the longer prefix, which would then be replaced instead."),
		what(CodeGatewayLimit, "too many matches", fmt.Sprintf("An HTTPRoute has at most %d rules and %d matches. Fairlead splits rules over several, but not over more than eight.", MaxRouteRules, MaxRouteMatches)),
		what(CodeGatewayShared, "two policies answer the same requests", "Policies of different services may share a hostname at a gateway, and the most specific match is chosen. Among equals nothing that anybody wrote decides. Make one more specific."),
		what(CodeNoNorthSouth, "no gateway for requests from outside", "The policy has a frontend at a gateway, and no importing cluster has a provider for it. Set providers.northSouth."),
		what(CodeGatewayAccess, "nobody would be let in", "The service lets in callers by cluster, namespace, service account or label. Requests from outside have none of these."),
		what(CodeGatewayFallback, "a fallback without an address", "The second tier of Envoy Gateway consists of addresses. Pods of the gateway's own cluster have none that stays: give them priority 0."),
		what(CodeGatewayPort, "which port?", "The service has several ports, and a request at a gateway does not say which one it is for. Give a backend the port, or govern one port."),
		what(CodeGatewayAffinity, "the hash ignores weights", "Envoy Gateway hashes a header or an address over all endpoints of a rule. With a cookie the weights hold: the first request is shared by weight, and later ones follow it."),
		what(CodeGatewayReach, "no tunnel to a backend", "A gateway of Envoy Gateway reaches pods of other clusters at their export addresses, which are reached by tunnel. Give both clusters tunnels."),
	}
}
