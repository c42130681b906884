// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rbacFilter decides who is let in.
const rbacFilter = "envoy.filters.http.rbac"

// The parts of Envoy's matchers that Envoy Gateway writes.
type (
	rawRBAC struct {
		RBAC struct {
			Matcher struct {
				MatcherList struct {
					Matchers []struct {
						Predicate rawPredicate `json:"predicate"`
						OnMatch   rawOnMatch   `json:"onMatch"`
					} `json:"matchers"`
				} `json:"matcherList"`
				OnNoMatch rawOnMatch `json:"onNoMatch"`
			} `json:"matcher"`
		} `json:"rbac"`
	}
	rawOnMatch struct {
		Action struct {
			TypedConfig struct {
				// Action is left out where it is ALLOW.
				Action string `json:"action"`
			} `json:"typedConfig"`
		} `json:"action"`
	}
	rawPredicate struct {
		And *struct {
			All []rawPredicate `json:"predicate"`
		} `json:"andMatcher"`
		Or *struct {
			Any []rawPredicate `json:"predicate"`
		} `json:"orMatcher"`
		Single *struct {
			Input struct {
				Name        string `json:"name"`
				TypedConfig struct {
					HeaderName string `json:"headerName"`
				} `json:"typedConfig"`
			} `json:"input"`
			ValueMatch *struct {
				rawText
				IgnoreCase bool `json:"ignoreCase"`
			} `json:"valueMatch"`
		} `json:"singlePredicate"`
	}
)

// admits tells whether a route lets a request in that comes from anywhere.
func (r Route) admits(q Asked) (bool, error) {
	settings, ok := r.Filters[rbacFilter]
	if !ok {
		return true, nil
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return false, err
	}
	var f rawRBAC
	if err := json.Unmarshal(text, &f); err != nil {
		return false, err
	}
	for _, m := range f.RBAC.Matcher.MatcherList.Matchers {
		takes, err := m.Predicate.takes(q)
		if err != nil {
			return false, fmt.Errorf("route %s: %w", r.Name, err)
		}
		if takes {
			return m.OnMatch.Action.TypedConfig.Action == "", nil
		}
	}
	return f.RBAC.Matcher.OnNoMatch.Action.TypedConfig.Action == "", nil
}

// takes tells whether a request meets a predicate.
func (p rawPredicate) takes(q Asked) (bool, error) {
	var failure error
	one := func(o rawPredicate) bool {
		ok, err := o.takes(q)
		if err != nil {
			failure = err
		}
		return ok
	}
	switch {
	case p.And != nil:
		return !slices.ContainsFunc(p.And.All, func(o rawPredicate) bool { return !one(o) }), failure
	case p.Or != nil:
		return slices.ContainsFunc(p.Or.Any, one), failure
	case p.Single == nil:
		return false, fmt.Errorf("an unknown predicate")
	}
	if p.Single.Input.Name == "client_ip" {
		return true, nil // every rule of ours is for every address
	}
	header, v := p.Single.Input.TypedConfig.HeaderName, p.Single.ValueMatch
	got, known := map[string]string{":method": q.Method, ":path": q.Path}[header]
	if !known || v == nil {
		return false, fmt.Errorf("an unknown predicate about %s %s", p.Single.Input.Name, header)
	}
	if v.SafeRegex != nil {
		return regexp.MustCompile(v.SafeRegex.Regex).MatchString(got), nil
	}
	if v.IgnoreCase {
		return strings.EqualFold(v.Exact, got), nil
	}
	return v.Exact == got, nil
}
