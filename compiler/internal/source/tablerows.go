// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// check reports a second field, no field, or one without text.
func (r *choiceRow) check(c *checker, x tabled) {
	var chosen []string
	for _, name := range r.Of {
		f := x.get(name)
		if !f.there() || x.schema.Properties[name].truth() && f.text() == "false" {
			continue
		}
		chosen = append(chosen, name)
		if f.n.kind == scalarNode && f.n.text == "" && !x.schema.Properties[name].speaksOfEmpty() && !c.touches(f.path) {
			c.ruled(r.as(diag.CodeLength), f.place(), name+" is empty", "write a text, or leave the field out")
		}
	}
	switch {
	case len(chosen) > 1:
		second := x.get(chosen[1])
		c.ruled(r.as(diag.CodeOneOf), second.place(), fmt.Sprintf("%s has %s", x.name(), enumerate(chosen, "and")), "keep one of them")
		c.last().Related = []diag.Related{{Position: x.get(chosen[0]).place().at, Message: "the first one"}}
	case len(chosen) < r.Least && !c.touches(x.path):
		c.ruled(r.as(diag.CodeOneOf), x.place(), fmt.Sprintf("%s has none of %s", x.name(), enumerate(r.Of, "and")), "write one of them")
	}
}

// speaksOfEmpty tells whether a form has a message for an empty text.
func (s *schema) speaksOfEmpty() bool {
	return slices.ContainsFunc(s.forms, func(r *formRow) bool { return r.broken("") })
}

// truth tells whether a field is a boolean whose false is the same as nothing.
func (s *schema) truth() bool { return s.Type == "boolean" && !s.pointer }

// as returns the row with a code.
func (r row) as(code string) row {
	r.Code = code
	return r
}

func (r *nothingRow) check(c *checker, x tabled) {
	// What is wrong with a mapping that has fields of its own is said there.
	says := func(name string) bool {
		f := x.get(name)
		return f.says() || f.stands() && x.schema.Properties[name].Properties != nil
	}
	if c.touches(x.path) || slices.ContainsFunc(r.Of, says) {
		return
	}
	c.ruled(r.row, x.place(), r.Message, r.Fix)
}

func (r *whenRow) check(c *checker, x tabled) {
	condition := x.cursor
	if r.Field != "" {
		condition = x.get(strings.Split(r.Field, ".")...)
		if !r.holds(condition) || c.wrongAt(condition.path) || r.Unless != "" && x.get(r.Unless).there() {
			return
		}
	}
	for _, name := range r.Needs {
		if need := x.get(name); !need.stands() && !c.touches(need.path) {
			c.ruled(r.row, condition.place(), r.Message, r.Fix)
		}
	}
	var refused []string
	for _, name := range r.Refuses {
		if x.get(name).there() {
			refused = append(refused, name)
		}
	}
	if len(refused) == 0 {
		return
	}
	first := x.get(refused[0])
	c.ruled(r.row, first.place(), strings.ReplaceAll(r.Message, "{fields}", enumerate(refused, "and")), r.Fix)
	if condition.there() && condition.path != x.path && condition.path != first.path {
		c.last().Related = []diag.Related{{Position: condition.place().at, Message: "the " + condition.name()}}
	}
}

// holds tells whether the row is about a field as it is.
func (r *whenRow) holds(field cursor) bool {
	if len(r.Is) == 0 {
		return field.stands()
	}
	return slices.Contains(r.Is, cmp.Or(field.text(), r.Otherwise))
}

func (r *orderRow) check(c *checker, x tabled) {
	less, more := x.get(strings.Split(r.Less, ".")...), x.get(strings.Split(r.More, ".")...)
	if c.touches(less.path) || c.touches(more.path) || !less.there() && !more.there() {
		return
	}
	short, long := cmp.Or(v1alpha1.Duration(less.text()), r.LessDefault), cmp.Or(v1alpha1.Duration(more.text()), r.MoreDefault)
	// Both were read before; without one there is nothing to compare.
	a, _ := short.Parse()
	b, _ := long.Parse()
	if short == "" || long == "" || a <= b {
		return
	}
	at, message := less, strings.NewReplacer("{less}", string(short), "{more}", string(long)).Replace(r.Message)
	if !less.there() {
		at = more
	}
	c.ruled(r.row, at.place(), message, r.Fix)
	if less.there() && more.there() {
		c.last().Related = []diag.Related{{Position: more.place().at, Message: r.MoreIs}}
	}
}

func (r *distinctRow) check(c *checker, x tabled) {
	first := map[string]diag.Position{}
	for _, item := range x.items() {
		var key []string
		for _, name := range r.By {
			key = append(key, item.get(name).text())
		}
		if slices.Contains(key, "") || c.touches(item.path) {
			continue
		}
		text := strings.Join(key, "\x00")
		if before, twice := first[text]; twice {
			message := r.Message
			for i, name := range r.By {
				message = strings.ReplaceAll(message, "{"+name+"}", quote(key[i]))
			}
			c.ruled(r.row, item.place(), message, r.Fix)
			c.last().Related = []diag.Related{{Position: before, Message: "the first one"}}
			continue
		}
		first[text] = item.place().at
	}
}

// enumerate writes words as one reads them aloud.
func enumerate(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
