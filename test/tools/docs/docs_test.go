// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/schemas"
)

const root = "../../.."

// told are the codes that no story can provoke, because a story is text, with
// the test in Go that does.
var told = map[string]struct{ file, test, constant string }{
	"FL1001": {"compiler/internal/source/bytes_test.go", "TestFilesThatCannotBeRead", "CodeUnreadable"},
	"FL1003": {"compiler/internal/source/bytes_test.go", "TestFilesThatAreLargerThanTheySay", "CodeTooLarge"},
	"FL1011": {"compiler/internal/source/bytes_test.go", "TestLinksAreNotFollowed", "FL1011"},
	"FL1113": {"compiler/internal/source/contract_test.go", "TestDisagreementIsReported", "CodeDefinition"},
	"FL1511": {"internal/cli/testdata/guardrails.txtar", "One that is not says", "FL1511"},
	"FL1512": {"internal/cli/testdata/guardrails.txtar", "One that is not says", "FL1512"},
	"FL1513": {"reconciler/internal/guardrails/guardrails_test.go", "TestLimits", "FL1513"},
	"FL1514": {"internal/cli/testdata/guardrails.txtar", "One that is not says", "FL1514"},
	"FL1601": {"compiler/trace_test.go", "TestTraceMistakes", "compiler.Trace("},
}

// TestEveryCodeIsProvoked: a code that no test provokes does not exist. Its
// severity is the one that its page says.
func TestEveryCodeIsProvoked(t *testing.T) {
	stories, err := readStories(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range shadowed {
		if _, ok := example(stories, by); !ok {
			t.Errorf("no story provokes %s", by)
		}
	}
	for _, c := range compiler.Codes() {
		s, ok := example(stories, c.ID)
		if ok {
			for _, d := range s.of(c.ID) {
				if d.Severity != c.Level() {
					t.Errorf("%s: %s is said to be a mistake of severity %s: %s", s.name, c.ID, c.Level(), d)
				}
			}
		}
		by, isTold := told[c.ID]
		switch {
		case ok && (isTold || shadowed[c.ID] != ""):
			t.Errorf("%s has a story: %s", c.ID, s.name)
		case !ok && !isTold && shadowed[c.ID] == "":
			t.Errorf("no story provokes %s (%s)", c.ID, c.Title)
		case isTold:
			checkTold(t, c.ID, by)
		}
	}
}

// checkTold fails where the test does not speak of the code any more.
func checkTold(t *testing.T, code string, by struct{ file, test, constant string }) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, by.file))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "\nfunc "+by.test+"(", "\nfunc "
	if strings.HasSuffix(by.file, ".txtar") {
		begin, end = "\n# "+by.test, "\n# "
	}
	_, body, ok := strings.Cut(string(text), begin)
	body, _, _ = strings.Cut(body, end)
	if !ok || !strings.Contains(body, by.constant) {
		t.Errorf("%s: %s in %s does not speak of %s", code, by.test, by.file, by.constant)
	}
}

// TestEveryKindHasAReference: there is a page for each kind that people write.
func TestEveryKindHasAReference(t *testing.T) {
	kinds, err := schemas.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range documents() {
		got = append(got, d.kind)
	}
	slices.Sort(got)
	if !slices.Equal(kinds, got) {
		t.Errorf("there are references of %v, and schemas of %v", got, kinds)
	}
}

// TestGenerateTwice: the same pages each time, and none of a code that is gone.
func TestGenerateTwice(t *testing.T) {
	dir := t.TempDir()
	pages := func() map[string]string {
		if err := generate(root, dir); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		names, err := filepath.Glob(filepath.Join(dir, "*", "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = string(text)
		}
		return all
	}
	first := pages()
	// The index of the codes, the feature matrix, and each kind.
	if want := len(compiler.Codes()) + 2 + len(documents()); len(first) != want {
		t.Errorf("%d pages, want %d", len(first), want)
	}
	if err := os.WriteFile(filepath.Join(dir, "codes", "FL0001.md"), []byte("gone"), 0o644); err != nil {
		t.Fatal(err)
	}
	if second := pages(); !reflect.DeepEqual(first, second) {
		t.Error("the pages differ, or one of a code that is gone stays")
	}
}

// link matches the target of a Markdown link that leads to a file.
var link = regexp.MustCompile(`\]\(([-A-Za-z0-9_./]*)(#[^)]*)?\)`)

// TestLinksLead: every link between the pages, generated and written, leads to
// a page and a heading that exist.
func TestLinksLead(t *testing.T) {
	names := []string{filepath.Join(root, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	texts := map[string]string{}
	read := func(name string) string {
		if _, ok := texts[name]; !ok {
			text, err := os.ReadFile(name)
			if err != nil && !os.IsNotExist(err) {
				t.Logf("%v", err) // a directory has no headings
			}
			texts[name] = string(text)
		}
		return texts[name]
	}
	for _, name := range names {
		for _, m := range link.FindAllStringSubmatch(read(name), -1) {
			target := name
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(name), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			} else if m[2] != "" && !hasHeading(read(target), m[2][1:]) {
				t.Errorf("%s links to %s, which has no heading %s", name, m[1], m[2])
			}
		}
	}
}

// hasHeading tells whether a page has a heading of an anchor.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(line, "## "); ok && strings.ToLower(strings.TrimSpace(title)) == anchor {
			return true
		}
	}
	return false
}

// TestEveryFieldIsDocumented: each field has a comment and, unless it must be
// given or is one of several, says what holds where it is left out.
func TestEveryFieldIsDocumented(t *testing.T) {
	comments, err := typeComments(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents() {
		_, blocks, err := d.blocks(comments)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if b.doc == "" {
				t.Errorf("%s %s has a type without a comment", d.kind, b.path)
			}
			for _, f := range b.fields {
				switch {
				case f.schema.Description == "":
					t.Errorf("%s %s has no comment", d.kind, f.path)
				case f.absent() == "" && words(f.typ, f.schema) != "block" && !b.oneOf():
					t.Errorf("%s %s does not say what holds where it is left out", d.kind, f.path)
				}
			}
		}
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	for comment, want := range map[string][2]string{
		"A of b. Left out: c.":                     {"c", "A of b."},
		"A. Left\nout: cluster.local. With d, e.":  {"cluster.local", "A. With d, e."},
		"A. Left out, in the last alone: b.":       {"b", "A."},
		"A, or left out altogether.":               {"", "A, or left out altogether."},
		"Weight: how much. Left out: 1. Zero: no.": {"1", "How much. Zero: no."},
	} {
		f := field{goName: "Weight", schema: &schema{Description: comment}}
		if got := [2]string{f.absent(), f.meaning()}; got != want {
			t.Errorf("%q: got %q, want %q", comment, got, want)
		}
	}
	if f := (field{schema: &schema{Description: "A."}, required: true}); f.absent() != "required" {
		t.Errorf("got %q", f.absent())
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		"usage: docs ROOT\n":    nil,
		"docs: there are no st": {t.TempDir()},
	} {
		var stderr strings.Builder
		if code := run(args, &stderr); code != 2 || !strings.HasPrefix(stderr.String(), want) {
			t.Errorf("%v: exit code %d, %q", args, code, stderr.String())
		}
	}
}
