// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// fixedDir is where a story has the same files without the mistake. The loader
// passes over names that begin with a dot, so the story's own test does too.
const fixedDir = ".fixed/"

// severalDocuments is where the codes of several documents begin.
const severalDocuments = "FL13"

// story is a repository with a mistake, from the tests.
type story struct {
	// name is the path of the story from the repository's root.
	name      string
	files     map[string][]byte
	fixed     map[string][]byte
	inventory inventory.Inventory
	// diags are what the compiler says of the files.
	diags []diag.Diagnostic
}

// readStories reads the stories of the tests that have mistakes, small ones
// first: schemas/testdata about one document, compiler/testdata about several.
func readStories(root string) ([]story, error) {
	var all []story
	for _, place := range []struct{ dir, prefix string }{{"schemas/testdata", ""}, {"compiler/testdata", "policies/"}} {
		names, err := filepath.Glob(filepath.Join(root, place.dir, "*.txtar"))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				return nil, err
			}
			s := story{name: place.dir + "/" + filepath.Base(name)}
			if err := s.read(archive, place.prefix); err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there are no stories below %s: %w", root, os.ErrNotExist)
	}
	slices.SortStableFunc(all, func(a, b story) int {
		return cmp.Or(cmp.Compare(len(a.diags), len(b.diags)), cmp.Compare(a.size(), b.size()))
	})
	return all, nil
}

// read takes the files of a story, those below a prefix, and compiles them.
func (s *story) read(archive *txtar.Archive, prefix string) error {
	s.files, s.fixed = map[string][]byte{}, map[string][]byte{}
	for _, f := range archive.Files {
		fixed, isFixed := strings.CutPrefix(f.Name, fixedDir)
		file, isFile := strings.CutPrefix(f.Name, prefix)
		switch {
		case f.Name == "want":
		case f.Name == "inventory.yaml" && prefix != "":
			if err := yaml.UnmarshalStrict(f.Data, &s.inventory); err != nil {
				return err
			}
		case isFixed:
			s.fixed[fixed] = f.Data
		case isFile:
			s.files[file] = f.Data
		}
	}
	s.diags = s.compile(nil)
	if len(s.fixed) == 0 {
		return nil
	}
	for _, d := range s.compile(s.fixed) {
		// A story about one document has no other one to be right with.
		if d.Severity == diag.Error && (prefix != "" || d.Code < severalDocuments) {
			return fmt.Errorf("the corrected files are not: %s", d)
		}
	}
	return nil
}

// compile returns what is said of the files, some of them replaced, and of the
// traffic tests among them.
func (s *story) compile(replaced map[string][]byte) []diag.Diagnostic {
	files := fstest.MapFS{}
	for _, from := range []map[string][]byte{s.files, replaced} {
		for name, text := range from {
			files[name] = &fstest.MapFile{Data: text}
		}
	}
	_, diags := compiler.Compile(files, s.inventory)
	results, _ := compiler.Test(files, s.inventory)
	for _, r := range results {
		diags = append(diags, r.Failures...)
	}
	return diags
}

// size counts the lines of a story.
func (s *story) size() int {
	n := 0
	for _, text := range s.files {
		n += strings.Count(string(text), "\n")
	}
	return n
}

// of returns what a story says with a code.
func (s *story) of(code string) []diag.Diagnostic {
	var out []diag.Diagnostic
	for _, d := range s.diags {
		if d.Code == code {
			out = append(out, d)
		}
	}
	return out
}

// example returns the story that shows a code best: one that is named by its
// number, then one that corrects it, then one with few mistakes.
func example(stories []story, code string) (story, bool) {
	rank := func(s story) int {
		n := 0
		if !strings.HasPrefix(filepath.Base(s.name), strings.TrimPrefix(code, "FL")) {
			n += 2
		}
		if len(s.fixed) == 0 {
			n++
		}
		return n
	}
	var best *story
	for i := range stories {
		if s := &stories[i]; len(s.of(code)) > 0 && (best == nil || rank(*s) < rank(*best)) {
			best = s
		}
	}
	if best == nil {
		return story{}, false
	}
	return *best, true
}
