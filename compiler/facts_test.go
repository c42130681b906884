// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// TestFactsNameTheirDocument: whatever is pending or held is shown with the
// place of the document that asks for it, in every story.
func TestFactsNameTheirDocument(t *testing.T) {
	checked := 0
	for _, name := range storyFiles(t) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := open(t, archive)
		result, _ := compiler.Compile(files, inv)
		var places []diag.Position
		for _, p := range result.Pending {
			places = append(places, p.Position)
		}
		for _, h := range result.Held {
			places = append(places, h.Position)
		}
		for _, at := range places {
			checked++
			if _, err := fs.Stat(files, at.File); err != nil || at.Line == 0 || at.Column == 0 {
				t.Errorf("%s: %q is no place of a document", filepath.Base(name), at)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d things are pending or held in the stories", checked)
	}
}
