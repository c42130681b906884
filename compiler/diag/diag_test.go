// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestString(t *testing.T) {
	d := Diagnostic{Code: "FL1101", Severity: Error, Message: `unknown field "weigth"`, Fix: `did you mean "weight"?`,
		Position: Position{File: "a.yaml", Line: 3, Column: 7},
		Related:  []Related{{Position: Position{File: "b.yaml", Line: 2}, Message: "the other one"}}}
	want := `a.yaml:3:7: error FL1101: unknown field "weigth" (did you mean "weight"?); b.yaml:2: the other one`
	if got := d.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Position{File: "empty"}).String(); got != "empty" {
		t.Errorf("a position without a line reads %q", got)
	}
}

func TestSortOrdersAndDropsRepetitions(t *testing.T) {
	at := func(file string, line int) Diagnostic {
		return Diagnostic{Code: "FL1000", Severity: Warning, Message: "m", Position: Position{File: file, Line: line}}
	}
	got := Sort([]Diagnostic{at("b", 1), at("a", 2), at("a", 1), at("b", 1)})
	want := []Diagnostic{at("a", 1), at("a", 2), at("b", 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	once := func(line int, what string) Diagnostic {
		d := at("a", line)
		d.Once = what
		return d
	}
	got = Sort([]Diagnostic{once(3, "x"), once(2, "y"), once(1, "x"), at("a", 3)})
	want = []Diagnostic{once(1, "x"), once(2, "y"), at("a", 3)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if HasErrors(got) {
		t.Error("warnings were taken for errors")
	}
	got[1].Severity = Error
	if !HasErrors(got) {
		t.Error("an error was not seen")
	}
}
