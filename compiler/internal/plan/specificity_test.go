// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// asked is a request as conditions see it.
type asked struct {
	path, method string
	headers      map[string]string
}

// meets tells whether a request meets a condition.
func (c condition) meets(r asked) bool {
	path := map[pathKind]bool{anyPath: true, prefixPath: under(r.path, c.path.value), exactPath: r.path == c.path.value,
		regexPath: c.path.kind == regexPath && fits(c.path.value, r.path) == some}
	if !path[c.path.kind] || c.method != "" && string(c.method) != r.method {
		return false
	}
	for _, h := range c.headers {
		v, there := r.headers[h.name]
		if !there || h.exact && v != h.value || !h.exact && fits(h.value, v) != some {
			return false
		}
	}
	return true
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func someMatch(r *rand.Rand) v1alpha1.Match {
	var m v1alpha1.Match
	switch r.IntN(4) {
	case 0:
		m.Path = &v1alpha1.PathMatch{Exact: pick(r, []string{"/", "/a", "/a/b", "/a/b/c"})}
	case 1, 2:
		m.Path = &v1alpha1.PathMatch{Prefix: pick(r, []string{"/", "/a", "/a/", "/a/b", "/ab"})}
	}
	for _, name := range []string{"x", "Y"} {
		switch r.IntN(5) {
		case 0:
			m.Headers = append(m.Headers, v1alpha1.HeaderMatch{Name: name, Exact: pick(r, []string{"1", "2"})})
		case 1:
			yes := true
			m.Headers = append(m.Headers, v1alpha1.HeaderMatch{Name: name, Present: &yes})
		}
	}
	if r.IntN(3) == 0 {
		m.Methods = []v1alpha1.Method{pick(r, []v1alpha1.Method{"GET", "POST"})}
	}
	return m
}

func someRequest(r *rand.Rand) asked {
	out := asked{path: pick(r, []string{"/", "/a", "/a/b", "/a/b/c", "/ab", "/ab/c", "/c"}), method: pick(r, []string{"GET", "POST"}), headers: map[string]string{}}
	for _, name := range []string{"x", "y"} {
		if v := pick(r, []string{"", "1", "2", "3"}); v != "" {
			out.headers[name] = v
		}
	}
	return out
}

// A gateway that chooses the most specific condition, and among equals the
// first, or where strict is asked for any, chooses the first rule that matches.
func TestMostSpecificIsFirstWritten(t *testing.T) {
	for _, strict := range []bool{false, true} {
		r := rand.New(rand.NewPCG(7, 8))
		for range 2000 {
			var rules [][]v1alpha1.Match
			for range 1 + r.IntN(5) {
				rules = append(rules, []v1alpha1.Match{someMatch(r)})
			}
			o := order(rules, strict)
			if len(o.clashes) > 0 || o.full {
				t.Fatalf("%v clashes: %+v", rules, o.clashes)
			}
			list := slices.Clone(o.all)
			if strict {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			} else {
				slices.SortStableFunc(list, func(a, b owned) int { return cmp.Compare(a.rule, b.rule) })
			}
			slices.SortStableFunc(list, func(a, b owned) int { return -a.precedence(b.condition) })
			for range 30 {
				q := someRequest(r)
				if got, want := chosen(list, q), first(rules, q); got != want {
					t.Fatalf("strict %t: %+v gets rule %d and should get %d\nrules %s\nconditions %+v", strict, q, got, want, show(rules), list)
				}
			}
		}
	}
}

// chosen is the rule of the first condition that a request meets.
func chosen(list []owned, q asked) int {
	for _, c := range list {
		if c.meets(q) {
			return c.rule
		}
	}
	return -1
}

// first is the first rule that a request matches.
func first(rules [][]v1alpha1.Match, q asked) int {
	for i, rule := range rules {
		for _, m := range rule {
			if slices.ContainsFunc(conditionsOf(m), func(c condition) bool { return c.meets(q) }) {
				return i
			}
		}
	}
	return -1
}

func show(rules [][]v1alpha1.Match) string {
	out := ""
	for i, r := range rules {
		for _, m := range r {
			for _, c := range conditionsOf(m) {
				out += fmt.Sprintf("%d: %+v\n", i, c)
			}
		}
	}
	return out
}

// Expressions that cannot be told apart clash only where the later one would
// win.
func TestExpressions(t *testing.T) {
	path := func(p v1alpha1.PathMatch) []v1alpha1.Match { return []v1alpha1.Match{{Path: &p}} }
	prefix, regex, exact := path(v1alpha1.PathMatch{Prefix: "/api"}), path(v1alpha1.PathMatch{Regex: "/a.*"}), path(v1alpha1.PathMatch{Exact: "/api/x"})
	elsewhere := path(v1alpha1.PathMatch{Regex: "/b/.*"})
	for name, c := range map[string]struct {
		rules   [][]v1alpha1.Match
		clashes int
	}{
		"an expression wins over a prefix anyway": {[][]v1alpha1.Match{regex, prefix}, 0},
		"a prefix before an expression":           {[][]v1alpha1.Match{prefix, regex}, 1},
		"somewhere else":                          {[][]v1alpha1.Match{prefix, elsewhere}, 0},
		"an expression and a path it matches":     {[][]v1alpha1.Match{regex, exact}, 0},
	} {
		if o := order(c.rules, false); len(o.clashes) != c.clashes {
			t.Errorf("%s: %+v", name, o.clashes)
		}
	}
	o := order([][]v1alpha1.Match{regex, exact}, false)
	if got := o.of(0); len(got) != 2 || len(o.of(1)) != 0 {
		t.Errorf("the expression does not take the path: %+v", o.all)
	}
}
