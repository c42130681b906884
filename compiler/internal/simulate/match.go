// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// rule finds the first rule that matches. A connection has nothing to match, so
// that only a rule without matches can be meant for it.
func (e *evaluation) rule(p *fleet.Policy, port fleet.Port) (fleet.Rule, bool) {
	for _, r := range p.Rules {
		if len(r.Matches) == 0 {
			e.note(p.At(r.Path), "rule %q takes every request", r.Label)
			return r, true
		}
		if port.L7() && slices.ContainsFunc(r.Matches, e.request.meets) {
			e.note(p.At(r.Path+".matches"), "rule %q matches", r.Label)
			return r, true
		}
		if port.L7() {
			e.note(p.At(r.Path+".matches"), "rule %q does not match", r.Label)
		}
	}
	return fleet.Rule{}, false
}

// meets tells whether a request meets all conditions of a match.
func (r Request) meets(m v1alpha1.Match) bool {
	if m.Path != nil && !onPath(r.Path, *m.Path) {
		return false
	}
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, v1alpha1.Method(r.Method)) {
		return false
	}
	for _, h := range m.Headers {
		if v, ok := r.Headers[strings.ToLower(h.Name)]; !ok || v != h.Exact {
			return false
		}
	}
	return true
}

// onPath tells whether a path is meant. A prefix has whole path elements: /api
// takes /api and /api/x, not /apix.
func onPath(path string, m v1alpha1.PathMatch) bool {
	if m.Exact != "" {
		return path == m.Exact
	}
	stem := strings.TrimRight(m.Prefix, "/")
	return path == stem || strings.HasPrefix(path, stem+"/")
}
