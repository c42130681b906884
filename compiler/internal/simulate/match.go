// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"regexp"
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
		i := slices.IndexFunc(r.Matches, e.request.meets)
		if port.L7() && i >= 0 {
			e.matched = r.Matches[i]
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
	return (m.Path == nil || onPath(r.Path, *m.Path)) &&
		(len(m.Methods) == 0 || slices.Contains(m.Methods, v1alpha1.Method(r.Method))) &&
		(m.Authority == nil || same(*m.Authority, r.Host)) && r.from(m.Source) &&
		!slices.ContainsFunc(m.Headers, func(h v1alpha1.HeaderMatch) bool { return !r.has(h) }) &&
		!slices.ContainsFunc(m.Query, func(q v1alpha1.QueryMatch) bool { return !r.asks(q) })
}

// from tells whether the caller is meant.
func (r Request) from(s *v1alpha1.SourceMatch) bool {
	return s == nil || (len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, r.From.Namespace)) && hasAll(r.From.Labels, s.Labels)
}

func (r Request) has(h v1alpha1.HeaderMatch) bool {
	value, there := r.Headers[strings.ToLower(h.Name)]
	if h.Present != nil {
		return there == *h.Present
	}
	return there && same(v1alpha1.StringMatch{Exact: h.Exact, Prefix: h.Prefix, Regex: h.Regex}, value)
}

func (r Request) asks(q v1alpha1.QueryMatch) bool {
	value, there := r.Query[q.Name]
	return there && same(v1alpha1.StringMatch{Exact: q.Exact, Regex: q.Regex}, value)
}

// same compares a text.
func same(m v1alpha1.StringMatch, text string) bool {
	switch {
	case m.Regex != "":
		return whole(m.Regex, text)
	case m.Prefix != "":
		return strings.HasPrefix(text, m.Prefix)
	}
	return text == m.Exact
}

// onPath tells whether a path is meant. A prefix has whole path elements: /api
// takes /api and /api/x, not /apix.
func onPath(path string, m v1alpha1.PathMatch) bool {
	switch {
	case m.Regex != "":
		return whole(m.Regex, path)
	case m.Exact != "":
		return path == m.Exact
	}
	stem := strings.TrimRight(m.Prefix, "/")
	return path == stem || strings.HasPrefix(path, stem+"/")
}

// whole tells whether a regular expression matches a text from end to end;
// false for what is none.
func whole(expression, text string) bool {
	e, err := regexp.Compile(`^(?:` + expression + `)$`)
	return err == nil && e.MatchString(text)
}
