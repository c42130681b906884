// SPDX-License-Identifier: Apache-2.0

package source

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler/diag"
)

var update = flag.Bool("update", false, "rewrite what the stories in schemas/testdata expect")

const storyDir = "../../../schemas/testdata"

// want is the file of a story that holds the exact messages, or "ok".
const want = "want"

// TestStories loads the files of each story and compares every message.
func TestStories(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(storyDir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d stories: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { tellStory(t, name) })
	}
}

func tellStory(t *testing.T, name string) {
	story, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, expected, found := fstest.MapFS{}, "", false
	for _, f := range story.Files {
		if f.Name == want {
			expected, found = string(f.Data), true
			continue
		}
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	docs, ds := Load(files)
	checkCodes(t, ds)
	got := tell(docs, ds)
	if *update {
		rewrite(t, name, story, got)
		return
	}
	if !found {
		t.Fatalf("there is no file %q; run with -update and read what it writes", want)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("the messages differ (-want +got):\n%s", diff)
	}
}

// TestEveryCodeHasAStory fails for a code that no story of documents shows.
func TestEveryCodeHasAStory(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(storyDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, name := range names {
		story, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range story.Files {
			if f.Name == want {
				told.Write(f.Data)
			}
		}
	}
	for _, code := range diag.Codes() {
		// Files that cannot be read, are too large or are links are no text, and
		// FL1113 is never to be seen; other tests show them.
		shown := slices.Contains([]string{diag.CodeUnreadable, diag.CodeTooLarge, diag.CodeSymlink, diag.CodeDefinition}, code.ID)
		if told := strings.Contains(told.String(), " "+code.ID+":"); told == shown {
			t.Errorf("%s: told in a story: %v", code.ID, told)
		}
	}
}

// rulePlace is left out of stories: it moves with every edit of rules.cue.
var rulePlace = regexp.MustCompile(`; schemas/v1alpha1/rules\.cue:\d+:\d+: the rule`)

// tell writes what Load said: a message a line, or "ok".
func tell(docs Documents, ds []diag.Diagnostic) string {
	if len(ds) == 0 && len(docs.Policies)+len(docs.ClusterSets)+len(docs.Tests) > 0 {
		return "ok\n"
	}
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(rulePlace.ReplaceAllString(d.String(), "") + "\n")
	}
	return b.String()
}

// rewrite replaces what a story expects.
func rewrite(t *testing.T, name string, story *txtar.Archive, got string) {
	var files []txtar.File
	for _, f := range story.Files {
		if f.Name != want {
			files = append(files, f)
		}
	}
	story.Files = append(files, txtar.File{Name: want, Data: []byte(got)})
	if err := os.WriteFile(name, txtar.Format(story), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkCodes fails for a code that nobody documented.
func checkCodes(t *testing.T, ds []diag.Diagnostic) {
	for _, d := range ds {
		if _, ok := diag.Lookup(d.Code); !ok {
			t.Errorf("%s is not among diag.Codes", d.Code)
		}
		if d.Position.File == "" || d.Message == "" || d.Fix == "" {
			t.Errorf("a diagnostic says too little: %+v", d)
		}
	}
}
