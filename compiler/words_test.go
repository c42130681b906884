// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler"
)

// jargon is what CUE, Go and the readers of YAML and JSON say, and no person.
var jargon = regexp.MustCompile(`conflicting values|incomplete (value|bool|string)|empty disjunction|non-concrete|_\|_|#[A-Z][A-Za-z]+|matchN` +
	`|unmarshal|(^|[ (])(json|yaml): |strconv|strict decoding|invalid character|map\[|\[\]string|<nil>|%!|0x[0-9a-f]{6,}|goroutine|runtime error|interface \{\}|failed to`)

// TestMessagesAreForPeople: nothing that is said of any story, of one document
// or of several, is in words of the tools that the compiler is made with.
func TestMessagesAreForPeople(t *testing.T) {
	said := 0
	check := func(name, line string) {
		said++
		if found := jargon.FindString(line); found != "" {
			t.Errorf("%s: %q in: %s", filepath.Base(name), found, line)
		}
	}
	others, err := filepath.Glob("../schemas/testdata/*.txtar")
	if err != nil || len(others) == 0 {
		t.Fatalf("no stories of one document: %v", err)
	}
	for _, name := range append(others, storyFiles(t)...) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := open(t, archive)
		if filepath.Dir(name) != "testdata" {
			plain := fstest.MapFS{}
			for _, f := range archive.Files {
				plain[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			files = plain
		}
		result, diags := compiler.Compile(files, inv)
		for _, d := range diags {
			check(name, d.String())
		}
		for _, line := range summary(result) {
			if !strings.HasPrefix(line, "object ") && !strings.HasPrefix(line, "claim ") {
				check(name, line)
			}
		}
	}
	if said < 1000 {
		t.Errorf("the stories say only %d things", said)
	}
}
