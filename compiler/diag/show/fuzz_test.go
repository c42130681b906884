// SPDX-License-Identifier: Apache-2.0

package show

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/fairlead/fairlead/compiler/diag"
)

// FuzzText: whatever a file holds and wherever a mistake is, what is written is
// visible, and no line is longer than was asked for.
func FuzzText(f *testing.F) {
	f.Add("a: b\n", 1, 4, 40)
	f.Add("\ufeff名前:\t値\r\n", 1, 5, 30)
	f.Add("a: \x1b[2J\u202e\xff"+strings.Repeat("x", 2000), 1, 600, 25)
	f.Add("e\u0301\u200d\n\n", 2, 0, 0)
	f.Fuzz(func(t *testing.T, text string, line, column, width int) {
		line, column, width = max(line%50, 0), max(column%5000, 0), max(width%300, 0)
		at := diag.Position{File: "a.yaml", Line: line, Column: column}
		ds := []diag.Diagnostic{{Message: text, Position: at, Related: []diag.Related{{Position: at}}}}
		diag.Locate(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, ds)
		var out strings.Builder
		if err := Text(&out, ds, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		for i, shown := range strings.Split(out.String(), "\n") {
			cells := 0
			for _, r := range shown {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q is written in %q", r, shown)
				}
				cells += cellOf(r).width
			}
			// The first lines are messages; a narrow terminal gets more than it
			// asked for.
			if most := max(width, minRoom+20); width > 0 && i > 0 && strings.Contains(shown, " | ") && cells > most {
				t.Fatalf("%d cells, at most %d: %q", cells, most, shown)
			}
		}
	})
}
