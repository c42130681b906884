// SPDX-License-Identifier: Apache-2.0

package source

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler/diag"
)

// longestSeed in bytes; what is longer is in TestHostileFiles.
const longestSeed = 16 << 10

// FuzzLoad feeds Load anything: it must neither panic nor take long, what it
// says must be one readable line at a place that exists, and what it accepts
// must be complete.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(storyDir, "*.txtar"))
	if err != nil || len(names) == 0 {
		f.Fatalf("found %d stories: %v", len(names), err)
	}
	for _, name := range names {
		story, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range story.Files {
			f.Add(file.Data)
		}
	}
	for _, text := range hostile() {
		// Long seeds leave the fuzzer no time for anything else.
		if len(text) < longestSeed {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(bomb(9)))
	f.Add([]byte("\ufeff\ufeff"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		docs, ds := Load(fstest.MapFS{"a.yaml": {Data: text}})
		if took := time.Since(start); took > soon {
			t.Errorf("it took %s", took)
		}
		lines := strings.Count(string(unixLines(slices.Clone(text))), "\n") + 1
		for _, d := range ds {
			checkReadable(t, d, lines)
		}
		if len(ds) > 0 {
			return
		}
		for _, p := range docs.Policies {
			if p.Name == "" || p.Namespace == "" || p.Spec.Service.Name == "" {
				t.Errorf("an incomplete policy was accepted: %+v", p)
			}
		}
		for _, s := range docs.ClusterSets {
			if s.Name == "" || len(s.Spec.Clusters) == 0 {
				t.Errorf("an incomplete cluster set was accepted: %+v", s)
			}
		}
	})
}

func checkReadable(t *testing.T, d diag.Diagnostic, lines int) {
	checkCodes(t, []diag.Diagnostic{d})
	if text := d.String(); strings.ContainsAny(text, "\n\r\x1b\x00") || !utf8.ValidString(text) {
		t.Errorf("this is not one line: %q", text)
	}
	if d.Code == diag.CodeDefinition {
		t.Errorf("the checks disagree: %s", d)
	}
	if d.Position.Line > lines {
		t.Errorf("there are %d lines: %s", lines, d)
	}
}
