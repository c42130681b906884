// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a diagnostic rejects the revision.
type Severity string

// The severities. An error rejects the revision whole; a warning never does.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Position is a place in a file. Line and Column count from 1; zero means that
// the diagnostic is about the whole file (both zero) or the whole line.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, without the parts that are not known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// ownRules is the directory of the rules that are part of Fairlead, by which
// their files are called.
const ownRules = "schemas/v1alpha1/"

// BuiltIn tells whether a position is in a file that is part of Fairlead, and
// not one of the user's.
func (p Position) BuiltIn() bool { return strings.HasPrefix(p.File, ownRules) }

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Excerpt is what stands at a position, so that it can be shown where the files
// are out of reach. The zero value shows nothing.
type Excerpt struct {
	// Text of the line around the position, without what ends the line.
	Text string
	// First is the column of the first character of Text: 1, or more where the
	// beginning of a long line was left out.
	First int
	// Cut: the end of a long line was left out.
	Cut bool
}

// Related is a second place that a diagnostic speaks of, such as the other of
// two policies.
type Related struct {
	Position Position `json:"position"`
	// EndColumn is that of Diagnostic.
	EndColumn int    `json:"endColumn,omitempty"`
	Message   string `json:"message"`
	// Excerpt is that of Diagnostic.
	Excerpt Excerpt `json:"-"`
}

// Diagnostic is one mistake.
type Diagnostic struct {
	// Code is stable: FL and four digits. The hundreds tell the stage: FL10xx
	// bytes and YAML, FL11xx shape, FL12xx rules of one document, FL13xx rules
	// over several, FL14xx what a provider cannot express.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Message says what is wrong: one line, no capital, no full stop.
	Message string `json:"message"`
	// Fix says what to write instead; empty where the message already does.
	Fix      string   `json:"fix,omitempty"`
	Position Position `json:"position"`
	// EndColumn is the column after the last character that is meant, on the
	// line of Position. Zero: not known, or the whole line.
	EndColumn int `json:"endColumn,omitempty"`
	// Rule is the place of the rule that says no, where it is written in CUE:
	// Fairlead's own below schemas/, or one of the repository. Zero: the check is
	// part of the program, and the page of the code describes it.
	Rule    Position  `json:"rule,omitzero"`
	Related []Related `json:"related,omitempty"`
	// Once names what is wrong where it can show at several places and is put
	// right by one statement: of those with the same, the first alone is told.
	// Empty: the place is a part of what is wrong.
	Once string `json:"-"`
	// Excerpt is the line that Position is in, where Locate found it.
	Excerpt Excerpt `json:"-"`
}

// String returns the diagnostic as one line:
//
//	file:line:column: error FL1101: unknown field "weigth" (did you mean "weight"?)
func (d Diagnostic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s: %s", d.Position, d.Severity, d.Code, d.Message)
	if d.Fix != "" {
		fmt.Fprintf(&b, " (%s)", d.Fix)
	}
	for _, r := range d.Related {
		fmt.Fprintf(&b, "; %s: %s", r.Position, r.Message)
	}
	if d.Rule != (Position{}) {
		fmt.Fprintf(&b, "; %s: the rule", d.Rule)
	}
	return b.String()
}

// Sort orders diagnostics by place, then code, then message, and drops
// repetitions, those of Once included.
func Sort(ds []Diagnostic) []Diagnostic {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	told := map[string]bool{}
	ds = slices.DeleteFunc(ds, func(d Diagnostic) bool {
		again := d.Once != "" && told[d.Once]
		told[d.Once] = true
		return again
	})
	return slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.String() == b.String() })
}

// HasErrors tells whether any of the diagnostics rejects the revision.
func HasErrors(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}
