// SPDX-License-Identifier: Apache-2.0

package show

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler/diag"
)

// told writes one diagnostic about a file of the given text.
func told(t *testing.T, text string, d diag.Diagnostic, o Options) string {
	t.Helper()
	ds := []diag.Diagnostic{d}
	diag.Locate(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, ds)
	var out strings.Builder
	if err := Text(&out, ds, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func at(line, column int) diag.Position {
	return diag.Position{File: "a.yaml", Line: line, Column: column}
}

func TestText(t *testing.T) {
	lines := strings.Repeat("\n", 8) + "  service: {name: htp}\n" + "last: line\n"
	d := diag.Diagnostic{Code: "FL1108", Severity: diag.Error, Message: "no such name", Fix: `did you mean "http"?`, Position: at(9, 19),
		Rule:    diag.Position{File: "schemas/v1alpha1/rules.cue", Line: 12, Column: 3},
		Related: []diag.Related{{Position: at(10, 1), Message: "the other"}, {Position: diag.Position{File: "b.yaml", Line: 7}, Message: "a third"}}}
	want := `a.yaml:9:19: error FL1108: no such name (did you mean "http"?)
   9 |   service: {name: htp}
     |                   ^^^
  a.yaml:10:1: the other
  10 | last: line
     | ----
  b.yaml:7: a third
  schemas/v1alpha1/rules.cue:12:3: the rule
`
	if diff := cmp.Diff(want, told(t, lines, d, Options{})); diff != "" {
		t.Error(diff)
	}
	plain := diag.Diagnostic{Code: "FL1011", Severity: diag.Warning, Message: "links", Position: diag.Position{File: "a.yaml"}}
	if got := told(t, lines, plain, Options{}); got != "a.yaml: warning FL1011: links\n" {
		t.Errorf("got %q", got)
	}
	if got, want := told(t, lines, plain, Options{Colour: true}), "\x1b[1ma.yaml: \x1b[0m\x1b[1;33mwarning FL1011\x1b[0m: links\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestShownLines compares only the line and the marks below it.
func TestShownLines(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		column int
		width  int
		want   string
	}{
		"wide runes":        {"名前: 値", 5, 0, "  1 | 名前: 値\n    |       ^^\n"},
		"combining":         {"e\u0301: x", 5, 0, "  1 | e\u0301: x\n    |    ^\n"},
		"tabs":              {"\ta: b", 2, 0, "  1 | →   a: b\n    |     ^\n"},
		"CRLF":              {"a: b  \r\n", 4, 0, "  1 | a: b\n    |    ^\n"},
		"CR":                {"z: y\ra: b\r", 4, 0, "  1 | z: y\n    |    ^\n"},
		"control":           {"a: \x1b[2Jb\u202e", 4, 0, "  1 | a: \\x1b[2Jb\\u202e\n    |    ^^^^^^^^^^^^^^\n"},
		"not UTF-8":         {"a: \xff", 4, 0, "  1 | a: \\ufffd\n    |    ^^^^^^\n"},
		"whole line":        {"  a b", 0, 0, "  1 |   a b\n    |   ^^^\n"},
		"behind the end":    {"a: ", 4, 0, "  1 | a:\n    |    ^\n"},
		"cut on the right":  {strings.Repeat("a", 50) + "z", 1, 27, "  1 | " + strings.Repeat("a", 19) + "…\n    | " + strings.Repeat("^", 19) + "\n"},
		"cut on both sides": {strings.Repeat("abcd ", 20), 51, 27, "  1 | …cd abcd abcd abcd a…\n    |          ^^^^^^^^^^^\n"},
		"cut on the left":   {strings.Repeat("abcd ", 20) + "end", 101, 27, "  1 | …cd abcd end\n    |          ^^^\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := told(t, test.text, diag.Diagnostic{Position: at(1, test.column)}, Options{Width: test.width})
			_, got, _ = strings.Cut(got, "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%s", got, diff)
			}
		})
	}
}

func TestMegabytesOnOneLine(t *testing.T) {
	line := strings.Repeat("日", 150_000) + ": " + strings.Repeat("x", 500_000)
	got := told(t, line, diag.Diagnostic{Position: at(1, 150_003)}, Options{})
	if len(got) > 1000 || !strings.Contains(got, "日: xxx") {
		t.Errorf("got %d bytes: %s", len(got), got)
	}
}

func TestNoFile(t *testing.T) {
	d := diag.Diagnostic{Code: "FL1601", Severity: diag.Error, Message: "what"}
	if got := told(t, "", d, Options{}); got != "error FL1601: what\n" {
		t.Errorf("got %q", got)
	}
}

func TestNamesOfFilesAreVisible(t *testing.T) {
	d := diag.Diagnostic{Message: "a\nb", Fix: "c\rd", Position: diag.Position{File: "x\x1b[2K\ny.yaml"}}
	if got, want := told(t, "", d, Options{}), `x\x1b[2K\ny.yaml:  : a\nb (c\rd)`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSummary(t *testing.T) {
	e := diag.Diagnostic{Severity: diag.Error, Position: at(1, 1)}
	w := diag.Diagnostic{Severity: diag.Warning, Position: diag.Position{File: "b.yaml"}}
	for want, ds := range map[string][]diag.Diagnostic{
		"":                               nil,
		"1 error in 1 file":              {e},
		"2 errors, 1 warning in 2 files": {e, w, e},
		"1 warning in 1 file":            {w},
		"1 error":                        {{Severity: diag.Error}},
	} {
		if got := Summary(ds); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFaultsOfTheWriterAreReturned(t *testing.T) {
	if err := Text(full{}, []diag.Diagnostic{{}}, Options{}); err == nil {
		t.Error("nothing was said")
	}
}
