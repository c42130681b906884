// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"encoding/json"
	"net/url"
	"strings"
)

// asking is who asks what of a pod.
type asking struct {
	principal string
	request   Request
	url       *url.URL
	port      int
}

// lets tells whether a pod's sidecar lets a request or a connection in to one of
// the pod's ports.
func (c Config) lets(a asking) bool {
	for _, l := range c.Listeners {
		if l.Direction != "INBOUND" {
			continue
		}
		// The chain of the port, or the one for every port that is not named.
		var best *FilterChain
		for i, chain := range l.Chains {
			if chain.Match.Transport != "tls" || chain.Match.Port != 0 && chain.Match.Port != a.port {
				continue
			}
			if best == nil || chain.Match.Port != 0 {
				best = &l.Chains[i]
			}
		}
		if best == nil {
			continue
		}
		filters := best.Filters
		for _, f := range best.Filters {
			filters = append(filters, f.Config.HTTPFilters...)
		}
		for _, f := range filters {
			if f.Config.Rules != nil && f.Config.Rules.Action == "DENY" && f.Config.Rules.matches(a) {
				return false
			}
		}
	}
	return true
}

// matches tells whether any policy is about the request.
func (r RBAC) matches(a asking) bool {
	any := func(all []json.RawMessage) bool {
		for _, text := range all {
			var m map[string]json.RawMessage
			if json.Unmarshal(text, &m) == nil && a.meets(m) {
				return true
			}
		}
		return false
	}
	for _, p := range r.Policies {
		if any(p.Permissions) && any(p.Principals) {
			return true
		}
	}
	return false
}

// meets evaluates one permission or principal (Envoy's config.rbac.v3).
func (a asking) meets(m map[string]json.RawMessage) bool {
	for kind, text := range m {
		switch kind {
		case "andRules", "andIds":
			for _, inner := range members(text) {
				if !a.meets(inner) {
					return false
				}
			}
			return true
		case "orRules", "orIds":
			for _, inner := range members(text) {
				if a.meets(inner) {
					return true
				}
			}
			return false
		case "notRule", "notId":
			var inner map[string]json.RawMessage
			_ = json.Unmarshal(text, &inner)
			return !a.meets(inner)
		case "any":
			return true
		default:
			return a.leaf(kind, text)
		}
	}
	return false
}

// members are what a conjunction or a disjunction is of.
func members(text json.RawMessage) []map[string]json.RawMessage {
	var out struct{ Rules, Ids []map[string]json.RawMessage }
	_ = json.Unmarshal(text, &out)
	return append(out.Rules, out.Ids...)
}

// leaf evaluates one comparison. What is not known here never matches.
func (a asking) leaf(kind string, text json.RawMessage) bool {
	var v struct {
		PrincipalName *Text
		Name          string
		StringMatch   *Text
		Path          *Text
	}
	if kind == "destinationPort" {
		var port int
		return json.Unmarshal(text, &port) == nil && port == a.port
	}
	if json.Unmarshal(text, &v) != nil {
		return false
	}
	switch {
	case kind == "authenticated" && v.PrincipalName != nil:
		return v.PrincipalName.matches(a.principal)
	case kind == "header" && v.StringMatch != nil:
		value, there := a.request.header(strings.ToLower(v.Name), a.url)
		return there && v.StringMatch.matches(value)
	case kind == "urlPath" && v.Path != nil:
		return v.Path.matches(a.url.Path)
	}
	return false
}
