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

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Related is a second place that a diagnostic speaks of: the other of two
// policies, or the rule that says no.
type Related struct {
	Position Position `json:"position"`
	Message  string   `json:"message"`
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
	Fix      string    `json:"fix,omitempty"`
	Position Position  `json:"position"`
	Related  []Related `json:"related,omitempty"`
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
	return b.String()
}

// Sort orders diagnostics by place, then code, then message, and drops exact
// repetitions.
func Sort(ds []Diagnostic) []Diagnostic {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.String() == b.String() })
}

// HasErrors tells whether any of the diagnostics rejects the revision.
func HasErrors(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}
