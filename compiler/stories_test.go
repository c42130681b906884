// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what came out into the stories")

// A story is an archive: an inventory, documents in policies/, and in want what
// must come out, as one line for each thing; objects/… and claims/… hold whole
// ones that must come out exactly so.
func TestStories(t *testing.T) {
	for _, name := range storyFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, inv := open(t, archive)
			result, diags := compiler.Compile(files, inv)
			var lines []string
			for _, d := range diags {
				lines = append(lines, d.String())
			}
			tests, _ := compiler.Test(files, inv)
			for _, r := range tests {
				for _, d := range r.Failures {
					lines = append(lines, d.String())
				}
			}
			got := map[string]string{"want": strings.Join(append(lines, summary(result)...), "\n") + "\n"}
			for _, b := range result.Bundles {
				for _, o := range b.Objects() {
					got["objects/"+b.Store+"/"+o.Ref().String()] = string(o.YAML())
				}
				for _, c := range b.Claims() {
					got["claims/"+b.Store+"/"+c.Ref().String()] = string(c.YAML())
				}
			}
			compare(t, name, archive, got)
		})
	}
}

// storyFiles are the paths of all stories.
func storyFiles(t testing.TB) []string {
	t.Helper()
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	return stories
}

// open reads what a story compiles.
func open(t testing.TB, archive *txtar.Archive) (fs.FS, inventory.Inventory) {
	t.Helper()
	files, inv := fstest.MapFS{}, inventory.Inventory{}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "policies/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
		if f.Name == "inventory.yaml" {
			if err := yaml.UnmarshalStrict(f.Data, &inv); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files, inv
}

// summary says in one line each what came out.
func summary(r compiler.Result) []string {
	var out []string
	for _, q := range r.Quarantined {
		out = append(out, fmt.Sprintf("quarantined %s: %s: %s", q.Cluster, q.Fact, q.Message))
	}
	for _, h := range r.Held {
		out = append(out, fmt.Sprintf("held %s %s: %s", h.Store, h.Fragment, h.Message))
	}
	for _, p := range r.Pending {
		out = append(out, fmt.Sprintf("pending %s %s: %s", p.Store, p.Fragment, p.Message))
	}
	for _, b := range r.Bundles {
		for _, f := range b.Fragments {
			for _, o := range f.Objects {
				out = append(out, fmt.Sprintf("object %s %s: %s", b.Store, f.ID, o.Ref()))
			}
			for _, c := range f.Claims {
				out = append(out, fmt.Sprintf("claim %s %s: %s", b.Store, f.ID, c.Ref()))
			}
		}
	}
	for _, t := range r.Traffic {
		out = append(out, fmt.Sprintf("traffic %s %s %s: tier %d %s %d", t.Consumer, t.Service, t.Rule, t.Tier, t.Backend, t.Permille))
	}
	return out
}

// compare holds what came out against the story, and rewrites the story where
// that was asked for.
func compare(t *testing.T, name string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	seen := false
	for i, f := range archive.Files {
		if f.Name != "want" && !strings.HasPrefix(f.Name, "objects/") && !strings.HasPrefix(f.Name, "claims/") {
			continue
		}
		seen = true
		if *update {
			archive.Files[i].Data = []byte(got[f.Name])
		} else if diff := cmp.Diff(string(f.Data), got[f.Name]); diff != "" {
			t.Errorf("%s:\n%s", f.Name, diff)
		}
	}
	if !seen {
		t.Fatal("the story does not say what must come out")
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
