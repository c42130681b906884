// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// claim is that a provider does a feature only in part, or not at all.
type claim struct{ code, provider, text string }

// TestEveryRefusalAndDegradationHasAStory: what the matrix says that a provider
// does not do, or does in part, some story or example shows: the refusal is
// reported, and what is accepted compiles, and does not where it is not accepted.
// What the matrix calls exact, TestEveryFieldHasAnEffect looks at.
func TestEveryRefusalAndDegradationHasAStory(t *testing.T) {
	seen := map[claim]bool{}
	for _, s := range allTold(t) {
		_, diags := compiler.Compile(s.files, s.inv)
		note(seen, s, diags)
		if diag.HasErrors(diags) {
			continue
		}
		for _, without := range s.withoutAcceptances() {
			_, diags := compiler.Compile(without, s.inv)
			note(seen, s, diags)
			for _, d := range diags {
				if m := degraded.FindStringSubmatch(d.Message); m != nil {
					seen[claim{accepted, m[1], m[2]}] = true
				}
			}
		}
	}
	// A degradation that an earlier row asks for too is reported there.
	earlier := map[claim]string{}
	for _, f := range compiler.Features() {
		for _, s := range f.Support {
			first := claim{"", s.Provider, s.Degradation}
			before := earlier[first]
			earlier[first] = f.Code
			switch {
			case s.Refusal != "" && seen[claim{code: byRule[f.Name]}]:
			case s.Refusal != "" && !seen[claim{f.Code, s.Provider, s.Refusal}]:
				t.Errorf("%s: no story in which %s refuses %s: %s", f.Code, s.Provider, f.Name, s.Refusal)
			case s.Degradation != "" && !seen[claim{accepted, s.Provider, s.Degradation}]:
				t.Errorf("no story that accepts %s of %s and needs it", s.Degradation, s.Provider)
			case s.Degradation != "" && before == "" && !seen[claim{f.Code, s.Provider, s.Degradation}]:
				t.Errorf("%s: no story in which %s is %s for %s", f.Code, f.Name, s.Degradation, s.Provider)
			}
		}
	}
}

// accepted stands for a code where a degradation is accepted by what compiles.
const accepted = "accepted"

// byRule are features that a rule about one document refuses before anything is
// planned, and its code.
var byRule = map[string]string{"matchSource": "FL1226"}

// toldStory is a story or an example.
type toldStory struct {
	files fstest.MapFS
	inv   inventory.Inventory
}

// allTold is all stories and examples.
func allTold(t *testing.T) []toldStory {
	t.Helper()
	var all []toldStory
	for _, name := range storyFiles(t) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := open(t, archive)
		all = append(all, toldStory{files.(fstest.MapFS), inv})
		if fixed := corrected(archive, files.(fstest.MapFS)); fixed != nil {
			all = append(all, toldStory{fixed, inv})
		}
	}
	folders, err := filepath.Glob(filepath.Join("..", "policies-example", "*", "inventory.yaml"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range folders {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := toldStory{files: fstest.MapFS{}}
		if err := yaml.UnmarshalStrict(text, &s.inv); err != nil {
			t.Fatal(err)
		}
		policies := os.DirFS(filepath.Join(filepath.Dir(name), "policies"))
		err = fs.WalkDir(policies, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(policies, path)
			s.files[path] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// corrected are the files of a story without its mistakes, as its page shows them;
// nil where it has none.
func corrected(archive *txtar.Archive, files fstest.MapFS) fstest.MapFS {
	out := maps.Clone(files)
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, ".fixed/"); ok {
			out[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	if len(out) == len(files) && maps.EqualFunc(out, files, func(a, b *fstest.MapFile) bool { return a == b }) {
		return nil
	}
	return out
}

// degraded is the message about a degradation that is not accepted.
var degraded = regexp.MustCompile(`^provider ([a-z-]+) does less than this means \(([A-Za-z]+)\)`)

// note remembers which claims of the matrix some diagnostics show. Two providers
// may refuse in the same words; then the story is about one of them.
func note(seen map[claim]bool, s toldStory, diags []diag.Diagnostic) {
	for _, d := range diags {
		seen[claim{code: d.Code}] = true
		if m := degraded.FindStringSubmatch(d.Message); m != nil {
			seen[claim{d.Code, m[1], m[2]}] = true
			continue
		}
		for _, f := range compiler.Features() {
			var same []compiler.Support
			for _, support := range f.Support {
				if f.Code == d.Code && support.Refusal != "" && strings.HasPrefix(d.Message, support.Refusal) && s.has(support.Provider) {
					same = append(same, support)
				}
			}
			if len(same) == 1 {
				seen[claim{f.Code, same[0].Provider, same[0].Refusal}] = true
			}
		}
	}
}

// has tells whether a provider is used in a story: fairlead where none is named.
func (s toldStory) has(provider string) bool {
	for _, f := range s.files {
		text := string(f.Data)
		named := strings.Contains(text, "eastWest: "+provider) || strings.Contains(text, "northSouth: "+provider)
		if strings.Contains(text, "kind: ClusterSet") && (named || provider == "fairlead" && !strings.Contains(text, "eastWest:")) {
			return true
		}
	}
	return false
}

// acceptance is one entry of acceptDegradations.
var acceptance = regexp.MustCompile(`\{name: ([A-Za-z]+), provider: ([a-z-]+)\}`)

// withoutAcceptances are the files with one degradation less accepted, in every
// way, by every policy at once.
func (s toldStory) withoutAcceptances() []fstest.MapFS {
	var found []string
	for _, f := range s.files {
		found = append(found, acceptance.FindAllString(string(f.Data), -1)...)
	}
	slices.Sort(found)
	var out []fstest.MapFS
	for _, entry := range slices.Compact(found) {
		less := fstest.MapFS{}
		for name, f := range s.files {
			// What is accepted instead does no harm.
			other := "{name: affinityAcrossBackends, provider: istio}"
			if strings.Contains(string(f.Data), other) {
				other = "{name: weights, provider: cilium}"
			}
			less[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), entry, other))}
		}
		out = append(out, less)
	}
	return out
}
