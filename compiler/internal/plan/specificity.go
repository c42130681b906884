// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// What one HTTPRoute of the Gateway API may have.
const (
	MaxRouteRules   = 16
	MaxRuleMatches  = 64
	MaxRouteMatches = 128
)

// maxConditions is how many conditions the rules of one policy may come to at a
// gateway: eight routes full.
const maxConditions = 8 * MaxRouteMatches

// owned is a condition and the rule that answers the requests that meet it.
type owned struct {
	condition
	rule int
	// from is the place of the match in its rule; -1 for a rule without matches.
	from int
	// made: it is where two others meet.
	made bool
}

// clash is a pair of conditions whose order cannot be said to a gateway.
type clash struct{ earlier, later owned }

// ordering is what the rules of a policy are at a gateway that chooses by
// specificity and not by order.
type ordering struct {
	all     []owned
	clashes []clash
	// full: there are more than maxConditions.
	full bool
}

// order finds conditions with which the most specific one that a request meets
// is of the first rule that it matches: where a later rule would win, the
// earlier one gets the conditions of both. With strict, rules of the same
// specificity count as if the later one won: they may become different objects,
// whose age decides.
func order(matches [][]v1alpha1.Match, strict bool) ordering {
	var o ordering
	for i, list := range matches {
		if len(list) == 0 {
			o.add(owned{rule: i, from: -1})
		}
		for j, m := range list {
			for _, c := range conditionsOf(m) {
				o.add(owned{condition: c, rule: i, from: j})
			}
		}
	}
	// What is added may itself be outdone, until nothing new comes up.
	for changed := true; changed && !o.full; {
		changed = false
		for y := 1; y < len(o.all) && !o.full; y++ {
			for x := range y {
				changed = o.compare(o.all[x], o.all[y], strict) || changed
			}
		}
	}
	return o
}

// add takes in a condition, for the earlier rule where it is there already, and
// says whether that changes anything.
func (o *ordering) add(c owned) bool {
	i := slices.IndexFunc(o.all, func(a owned) bool { return a.equal(c.condition) })
	switch {
	case i < 0:
		o.all = append(o.all, c)
		o.full = len(o.all) > maxConditions
	case c.rule < o.all[i].rule:
		o.all[i] = c
	default:
		return false
	}
	return true
}

// compare adds what two conditions need so that the earlier rule wins, and says
// whether that changes anything.
func (o *ordering) compare(a, b owned, strict bool) bool {
	if a.rule == b.rule {
		return false
	}
	if a.rule > b.rule {
		a, b = b, a
	}
	p := b.precedence(a.condition)
	if p < 0 || p == 0 && !strict {
		return false
	}
	both, verdict := a.meet(b.condition)
	switch verdict {
	case unclear:
		o.clash(a, b)
	case some:
		// Where it is the same as b, every request that meets b meets a, and b
		// becomes a's.
		return o.add(owned{condition: both, rule: a.rule, from: a.from, made: true})
	}
	return false
}

// clash notes that the order of two conditions cannot be said, once for the
// matches that they come from.
func (o *ordering) clash(a, b owned) {
	known := func(d clash) bool {
		return d.earlier.rule == a.rule && d.later.rule == b.rule && d.earlier.from == a.from && d.later.from == b.from
	}
	if !slices.ContainsFunc(o.clashes, known) {
		o.clashes = append(o.clashes, clash{a, b})
	}
}

// of returns the conditions of one rule as matches; none where no request gets
// to the rule.
func (o ordering) of(rule int) []v1alpha1.Match {
	var out []v1alpha1.Match
	for _, c := range o.all {
		if c.rule == rule {
			out = append(out, c.match())
		}
	}
	return out
}
