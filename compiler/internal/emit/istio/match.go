// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"regexp"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
)

// scope is what every match of a route has besides what a rule says: the port
// that was called, and whose callers are meant.
type scope struct {
	port   uint32
	labels map[string]string
}

// matches expands the matches of a rule: each method and each namespace of the
// caller is a match of its own, and so is each form of a path prefix. A rule
// without any has one that is the scope alone; none where that is everything.
func matches(s scope, all []v1alpha1.Match) []*v1alpha3.HTTPMatchRequest {
	if len(all) == 0 {
		if s.port == 0 && len(s.labels) == 0 {
			return nil
		}
		all = []v1alpha1.Match{{}}
	}
	var out []*v1alpha3.HTTPMatchRequest
	for _, m := range all {
		for _, path := range paths(m.Path) {
			for _, method := range methods(m.Methods) {
				for _, namespace := range namespaces(m.Source) {
					out = append(out, &v1alpha3.HTTPMatchRequest{Port: s.port, Uri: path, Method: method, SourceNamespace: namespace,
						SourceLabels: labels(s, m.Source), Headers: headers(m.Headers, true), WithoutHeaders: headers(m.Headers, false),
						QueryParams: query(m.Query), Authority: authority(m.Authority)})
				}
			}
		}
	}
	return out
}

func exact(text string) *v1alpha3.StringMatch {
	return &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Exact{Exact: text}}
}

func prefix(text string) *v1alpha3.StringMatch {
	return &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Prefix{Prefix: text}}
}

func regex(text string) *v1alpha3.StringMatch {
	return &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Regex{Regex: text}}
}

// paths gives a prefix of whole path elements as Istio can say it: its own
// prefix would also take /apix for /api.
func paths(p *v1alpha1.PathMatch) []*v1alpha3.StringMatch {
	switch {
	case p == nil:
		return []*v1alpha3.StringMatch{nil}
	case p.Exact != "":
		return []*v1alpha3.StringMatch{exact(p.Exact)}
	case p.Regex != "":
		return []*v1alpha3.StringMatch{regex(p.Regex)}
	}
	stem := stem(p.Prefix)
	if stem == "" {
		return []*v1alpha3.StringMatch{prefix("/")}
	}
	return []*v1alpha3.StringMatch{exact(stem), prefix(stem + "/")}
}

// stem is a path prefix without the slash at its end, which means nothing.
func stem(prefix string) string { return strings.TrimRight(prefix, "/") }

func methods(all []v1alpha1.Method) []*v1alpha3.StringMatch {
	if len(all) == 0 {
		return []*v1alpha3.StringMatch{nil}
	}
	var out []*v1alpha3.StringMatch
	for _, m := range all {
		out = append(out, exact(string(m)))
	}
	return out
}

func namespaces(s *v1alpha1.SourceMatch) []string {
	if s == nil || len(s.Namespaces) == 0 {
		return []string{""}
	}
	return s.Namespaces
}

// labels are those of the caller's pod, and of the scope.
func labels(s scope, source *v1alpha1.SourceMatch) map[string]string {
	if source == nil || len(source.Labels) == 0 {
		return s.labels
	}
	out := map[string]string{}
	for _, m := range []map[string]string{s.labels, source.Labels} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// headers that must match, or those that must not be there. A match of nothing
// is one of every value.
func headers(all []v1alpha1.HeaderMatch, wanted bool) map[string]*v1alpha3.StringMatch {
	var out map[string]*v1alpha3.StringMatch
	for _, h := range all {
		if absent := h.Present != nil && !*h.Present; absent == wanted {
			continue
		}
		if out == nil {
			out = map[string]*v1alpha3.StringMatch{}
		}
		m := &v1alpha3.StringMatch{}
		switch {
		case h.Exact != "":
			m = exact(h.Exact)
		case h.Prefix != "":
			m = prefix(h.Prefix)
		case h.Regex != "":
			m = regex(h.Regex)
		}
		out[strings.ToLower(h.Name)] = m
	}
	return out
}

func query(all []v1alpha1.QueryMatch) map[string]*v1alpha3.StringMatch {
	var out map[string]*v1alpha3.StringMatch
	for _, q := range all {
		if out == nil {
			out = map[string]*v1alpha3.StringMatch{}
		}
		if out[q.Name] = exact(q.Exact); q.Regex != "" {
			out[q.Name] = regex(q.Regex)
		}
	}
	return out
}

// anyPort is what callers append to a host: Envoy compares the whole authority.
const anyPort = "(:[0-9]+)?"

func authority(m *v1alpha1.StringMatch) *v1alpha3.StringMatch {
	switch {
	case m == nil:
		return nil
	case m.Exact != "":
		return regex(regexp.QuoteMeta(m.Exact) + anyPort)
	case m.Regex != "":
		return regex("(?:" + m.Regex + ")" + anyPort)
	}
	return prefix(m.Prefix)
}
