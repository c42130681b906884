// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// condition is one set of conditions as a route of the Gateway API has them: at
// most one method, and every value either exact or a regular expression.
type condition struct {
	path   pathCondition
	method v1alpha1.Method
	// headers and query by name.
	headers, query []valueCondition
}

// pathKind orders the ways to compare a path as Envoy Gateway does: the greater
// wins.
type pathKind int

const (
	anyPath pathKind = iota
	prefixPath
	regexPath
	exactPath
)

type pathCondition struct {
	kind  pathKind
	value string
}

// valueCondition compares one header or parameter.
type valueCondition struct {
	name, value string
	exact       bool
}

// everything matches every value: the header or parameter is there.
const everything = ".*"

// conditionsOf writes a match as conditions, one for each of its methods.
func conditionsOf(m v1alpha1.Match) []condition {
	var c condition
	if p := m.Path; p != nil {
		switch {
		case p.Exact != "":
			c.path = pathCondition{exactPath, p.Exact}
		case p.Regex != "":
			c.path = pathCondition{regexPath, p.Regex}
		case strings.Trim(p.Prefix, "/") != "":
			c.path = pathCondition{prefixPath, strings.TrimRight(p.Prefix, "/")}
		}
	}
	for _, h := range m.Headers {
		v := valueCondition{name: strings.ToLower(h.Name), value: everything}
		switch {
		case h.Exact != "":
			v.value, v.exact = h.Exact, true
		case h.Prefix != "":
			v.value = regexp.QuoteMeta(h.Prefix) + everything
		case h.Regex != "":
			v.value = h.Regex
		}
		c.headers = append(c.headers, v)
	}
	for _, q := range m.Query {
		c.query = append(c.query, valueCondition{name: q.Name, value: cmp.Or(q.Exact, q.Regex), exact: q.Exact != ""})
	}
	byName := func(a, b valueCondition) int { return cmp.Compare(a.name, b.name) }
	slices.SortStableFunc(c.headers, byName)
	slices.SortStableFunc(c.query, byName)
	if len(m.Methods) == 0 {
		return []condition{c}
	}
	var out []condition
	for _, method := range m.Methods {
		c.method = method
		out = append(out, c)
	}
	return out
}

// match writes a condition as a match.
func (c condition) match() v1alpha1.Match {
	var m v1alpha1.Match
	switch c.path.kind {
	case exactPath:
		m.Path = &v1alpha1.PathMatch{Exact: c.path.value}
	case regexPath:
		m.Path = &v1alpha1.PathMatch{Regex: c.path.value}
	case prefixPath:
		m.Path = &v1alpha1.PathMatch{Prefix: c.path.value}
	}
	if c.method != "" {
		m.Methods = []v1alpha1.Method{c.method}
	}
	for _, h := range c.headers {
		if h.exact {
			m.Headers = append(m.Headers, v1alpha1.HeaderMatch{Name: h.name, Exact: h.value})
		} else {
			m.Headers = append(m.Headers, v1alpha1.HeaderMatch{Name: h.name, Regex: h.value})
		}
	}
	for _, q := range c.query {
		if q.exact {
			m.Query = append(m.Query, v1alpha1.QueryMatch{Name: q.name, Exact: q.value})
		} else {
			m.Query = append(m.Query, v1alpha1.QueryMatch{Name: q.name, Regex: q.value})
		}
	}
	return m
}

func (c condition) equal(o condition) bool {
	return c.path == o.path && c.method == o.method && slices.Equal(c.headers, o.headers) && slices.Equal(c.query, o.query)
}

// precedence compares two conditions as Envoy Gateway orders routes (its
// sort.go, after HTTPRouteRule in the Gateway API): the kind of path, its
// length, the number of headers, of exact ones, of parameters, of exact ones.
// The method counts as a header.
func (c condition) precedence(o condition) int {
	headers := func(c condition) (n, exact int) {
		n, exact = count(c.headers)
		if c.method != "" {
			return n + 1, exact + 1
		}
		return n, exact
	}
	ch, che := headers(c)
	oh, ohe := headers(o)
	cq, cqe := count(c.query)
	oq, oqe := count(o.query)
	return cmp.Or(cmp.Compare(c.path.kind, o.path.kind), cmp.Compare(len(c.path.value), len(o.path.value)),
		cmp.Compare(ch, oh), cmp.Compare(che, ohe), cmp.Compare(cq, oq), cmp.Compare(cqe, oqe))
}

func count(values []valueCondition) (n, exact int) {
	for _, v := range values {
		if v.exact {
			exact++
		}
	}
	return len(values), exact
}

// overlap says whether a request can meet two conditions.
type overlap int

const (
	// never: none can.
	never overlap = iota
	// some: those that meet the condition that is returned.
	some
	// unclear: it cannot be told, or not be said in one condition.
	unclear
)

// meet returns the condition of the requests that meet both.
func (c condition) meet(o condition) (condition, overlap) {
	out, verdict := condition{method: cmp.Or(c.method, o.method)}, some
	if c.method != "" && o.method != "" && c.method != o.method {
		return condition{}, never
	}
	note := func(v overlap) {
		if v != some && verdict != never {
			verdict = v
		}
	}
	var v overlap
	out.path, v = c.path.meet(o.path)
	note(v)
	out.headers, v = meetAll(c.headers, o.headers)
	note(v)
	out.query, v = meetAll(c.query, o.query)
	note(v)
	return out, verdict
}

func (p pathCondition) meet(o pathCondition) (pathCondition, overlap) {
	if p.kind > o.kind {
		p, o = o, p
	}
	switch {
	case p == o || p.kind == anyPath:
		return o, some
	case p.kind == prefixPath && o.kind == exactPath:
		return o, when(under(o.value, p.value))
	case p.kind == prefixPath && o.kind == prefixPath:
		if under(p.value, o.value) {
			return p, some
		}
		return o, when(under(o.value, p.value))
	case p.kind == regexPath && o.kind == exactPath:
		return o, fits(p.value, o.value)
	case p.kind == exactPath:
		return o, never
	case p.kind == prefixPath && apart(o.value, p.value):
		return o, never
	}
	return o, unclear
}

// under tells whether a path is a prefix, or goes on below it by whole elements.
func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func when(yes bool) overlap {
	if yes {
		return some
	}
	return never
}

// fits tells whether a value matches an expression as a whole.
func fits(expression, value string) overlap {
	re, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return unclear
	}
	return when(re.MatchString(value))
}

// apart tells whether the paths of an expression and those below a prefix
// begin differently for certain.
func apart(expression, prefix string) bool {
	re, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return false
	}
	begin, _ := re.LiteralPrefix()
	return !strings.HasPrefix(begin, prefix) && !strings.HasPrefix(prefix, begin)
}

// meetAll joins two lists of values by name.
func meetAll(a, b []valueCondition) ([]valueCondition, overlap) {
	out, verdict := slices.Clone(a), some
	for _, v := range b {
		i := slices.IndexFunc(out, func(o valueCondition) bool { return o.name == v.name })
		if i < 0 {
			out = append(out, v)
			continue
		}
		both, found := out[i].meet(v)
		out[i] = both
		if found == never {
			return nil, never
		}
		if found == unclear {
			verdict = unclear
		}
	}
	slices.SortStableFunc(out, func(a, b valueCondition) int { return cmp.Compare(a.name, b.name) })
	return out, verdict
}

func (v valueCondition) meet(o valueCondition) (valueCondition, overlap) {
	switch {
	case v == o || o.value == everything && !o.exact:
		return v, some
	case v.value == everything && !v.exact:
		return o, some
	case v.exact && o.exact:
		return v, never
	case v.exact:
		return v, fits(o.value, v.value)
	case o.exact:
		return o, fits(v.value, o.value)
	}
	return v, unclear
}
