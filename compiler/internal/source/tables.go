// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// row is one row of a table of rules.cue, which says what the fields mean.
type row struct {
	Code    string   `json:"code"`
	Paths   []string `json:"at"`
	Message string   `json:"message"`
	Fix     string   `json:"fix"`
	// rule is where the row stands.
	rule diag.Position
}

type choiceRow struct {
	row
	Of    []string `json:"of"`
	Least int      `json:"least"`
}

type nothingRow struct {
	row
	Of []string `json:"of"`
}

type whenRow struct {
	row
	Field     string   `json:"field"`
	Is        []string `json:"is"`
	Otherwise string   `json:"otherwise"`
	Unless    string   `json:"unless"`
	Needs     []string `json:"needs"`
	Refuses   []string `json:"refuses"`
}

type orderRow struct {
	row
	Less        string            `json:"less"`
	LessDefault v1alpha1.Duration `json:"lessDefault"`
	More        string            `json:"more"`
	MoreDefault v1alpha1.Duration `json:"moreDefault"`
	MoreIs      string            `json:"moreIs"`
}

type distinctRow struct {
	row
	By []string `json:"by"`
}

// formRow is a row about the text of a scalar; exactly one of the two is set.
type formRow struct {
	row
	Form *form `json:"form"`
	Not  *form `json:"not"`
}

// tableRow is a row about a mapping or a list.
type tableRow interface {
	check(c *checker, x tabled)
}

// tables are the tables of a kind as they are written, and what each must be.
type tables struct{ rows, form cue.Value }

// readTables hangs the rows of a kind's tables at the parts of its schema that
// they are about.
func readTables(t tables, root *schema) error {
	byPath := root.byPath()
	return errorsOf(
		hang(t, "choices", byPath, func(s *schema, r choiceRow) error { return s.add(&r, r.Of...) }),
		hang(t, "nothing", byPath, func(s *schema, r nothingRow) error { return s.add(&r, r.Of...) }),
		hang(t, "when", byPath, func(s *schema, r whenRow) error {
			return s.add(&r, slices.Concat(given(r.Field), given(r.Unless), r.Needs, r.Refuses)...)
		}),
		hang(t, "order", byPath, func(s *schema, r orderRow) error { return s.add(&r, r.Less, r.More) }),
		hang(t, "distinct", byPath, func(s *schema, r distinctRow) error { return s.add(&r, r.By...) }),
		hang(t, "forms", byPath, func(s *schema, r formRow) error {
			for s.Items != nil {
				s = s.Items
			}
			s.forms = append(s.forms, &r)
			return nil
		}),
	)
}

func given(field string) []string {
	if field == "" {
		return nil
	}
	return []string{field}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// placed is a row that is told where it stands.
type placed interface {
	stand(at diag.Position)
	paths() []string
}

func (r *row) stand(at diag.Position) { r.rule = at }
func (r *row) paths() []string        { return r.Paths }

// hang reads the rows of one table and gives each to the schemas at its paths.
func hang[R any, P interface {
	*R
	placed
}](t tables, name string, byPath map[string]*schema, to func(*schema, R) error) error {
	path := cue.ParsePath(name)
	rows, err := t.rows.LookupPath(path).List()
	if err != nil {
		return fmt.Errorf("table %s: %w", name, err)
	}
	whole, err := t.rows.Unify(t.form).LookupPath(path).List()
	if err != nil {
		return fmt.Errorf("table %s: %w", name, err)
	}
	for rows.Next() && whole.Next() {
		var r R
		if err := whole.Value().Decode(&r); err != nil {
			return fmt.Errorf("a row of table %s: %w", name, err)
		}
		// Once it is unified with the form, a row is said to be at the form.
		pos := rows.Value().Pos()
		P(&r).stand(diag.Position{File: pos.Filename(), Line: pos.Line(), Column: pos.Column()})
		for _, path := range P(&r).paths() {
			s, ok := byPath[path]
			if !ok {
				return fmt.Errorf("table %s: there is no field %s", name, path)
			}
			if err := to(s, r); err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
		}
	}
	return nil
}

// byPath returns the schema and all inside it by their paths; of a list, the
// list.
func (s *schema) byPath() map[string]*schema {
	all := map[string]*schema{s.path: s}
	for _, p := range s.Properties {
		maps.Copy(all, p.byPath())
	}
	if s.Items != nil {
		inner := s.Items.byPath()
		delete(inner, s.path)
		maps.Copy(all, inner)
	}
	return all
}

// add hangs a row at a mapping, or at the items of a list of mappings; rows
// that compare items stay at the list.
func (s *schema) add(r tableRow, fields ...string) error {
	item := s
	if s.Items != nil {
		item = s.Items
	}
	for _, f := range fields {
		if item.field(f) == nil {
			return fmt.Errorf("%s has no field %s", s.path, f)
		}
	}
	if _, compares := r.(*distinctRow); !compares {
		s = item
	}
	s.rows = append(s.rows, r)
	return nil
}

// field returns the schema of a field by its path from s; nil where there is
// none.
func (s *schema) field(path string) *schema {
	for name := range strings.SplitSeq(path, ".") {
		if s == nil {
			return nil
		}
		s = s.Properties[name]
	}
	return s
}

// broken tells whether a text breaks the row.
func (r *formRow) broken(text string) bool {
	if r.Form != nil {
		return !r.Form.MatchString(text)
	}
	return r.Not.MatchString(text)
}

// checkForms applies the rows about the texts of scalars.
func (c *checker) checkForms() {
	for _, v := range c.right {
		for _, r := range v.schema.forms {
			if r.broken(v.text) {
				c.ruled(r.row, place{v.path, v.at}, r.fill(r.Message, v.text), r.fill(r.Fix, v.text))
				break // one mistake of a text is enough
			}
		}
	}
}

// fill puts the user's text in a message.
func (r *row) fill(message, text string) string {
	return strings.NewReplacer("{value}", quote(text), "{raw}", shorten(text)).Replace(message)
}

// checkTables applies the rows about mappings and lists.
func (c *checker) checkTables() {
	for _, x := range c.tabled {
		for _, r := range x.schema.rows {
			r.check(c, x)
		}
	}
}

// note keeps a mapping or list for checkTables.
func (c *checker) note(n *node, s *schema, p place) {
	if len(s.rows) > 0 {
		c.tabled = append(c.tabled, tabled{cursor{n, p.path, p.at}, s})
	}
}

// tabled is a mapping or list that rows are about.
type tabled struct {
	cursor
	schema *schema
}

// ruled reports what a row says.
func (c *checker) ruled(r row, p place, message, fix string) {
	c.say(p, r.Code, message, fix)
	c.last().Rule = r.rule
}

// say reports a mistake of a value whose shape is right, so that others may
// read it all the same.
func (c *checker) say(p place, code, message, fix string) {
	c.diags = append(c.diags, diag.Diagnostic{Code: code, Severity: diag.Error, Message: message, Fix: fix, Position: p.at})
}

// last is what was reported last.
func (c *checker) last() *diag.Diagnostic { return &c.diags[len(c.diags)-1] }
