// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/diag/show"
)

// stages are the hundreds of the codes.
var stages = map[string]string{
	"FL10": "Bytes and YAML",
	"FL11": "The shape of a document",
	"FL12": "Rules of one document",
	"FL13": "What documents say to each other",
	"FL14": "What a provider cannot do",
	"FL15": "Traffic tests and guardrails",
	"FL16": "Requests to trace",
}

// shadowed are the codes of rows of the feature matrix that are never seen,
// with that of the rule of one document which says the same first.
var shadowed = map[string]string{"FL1455": "FL1226"}

// codePages returns a page for every code and an index, by path.
func codePages(stories []story) map[string]string {
	pages := map[string]string{"codes/README.md": codeIndex()}
	for _, c := range compiler.Codes() {
		pages["codes/"+c.ID+".md"] = codePage(c, stories)
	}
	return pages
}

func codeIndex() string {
	var b strings.Builder
	b.WriteString(generated + "# Codes\n\nEvery mistake that Fairlead reports has a code that never changes its meaning. `fairlead codes FL1204` prints the same pages.\n")
	stage := ""
	for _, c := range compiler.Codes() {
		if now := c.ID[:len("FL10")]; now != stage {
			stage = now
			fmt.Fprintf(&b, "\n## %s\n\n| code | | severity |\n|---|---|---|\n", cmp.Or(stages[stage], stage+"xx"))
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", c.ID, c.ID, c.Title, c.Level())
	}
	return b.String()
}

// codePage describes a code, with an example where a test tells one.
func codePage(c diag.Code, stories []story) string {
	var b strings.Builder
	fmt.Fprintf(&b, generated+"# %s: %s\n\nSeverity: %s. [All codes](README.md).\n\n", c.ID, c.Title, c.Level())
	if f, ok := featureOf(c); ok {
		fmt.Fprintf(&b, "A row of the [feature matrix](../reference/features.md#%s). ", strings.ToLower(f.Name))
		fmt.Fprintf(&b, "Asked for by `%s`. What each provider of routing makes of it:\n\n", strings.Join(f.Fields, "`, `"))
		writeSupport(&b, f, "../reference/features.md#degradations")
	} else {
		b.WriteString(c.Doc + "\n")
	}
	if by := shadowed[c.ID]; by != "" {
		fmt.Fprintf(&b, "\nA rule of one document says so before: [%s](%s.md).\n", by, by)
	}
	if s, ok := example(stories, c.ID); ok {
		writeExample(&b, s, c.ID)
	}
	return b.String()
}

// featureOf returns the feature that has a code to itself.
func featureOf(code diag.Code) (compiler.Feature, bool) {
	for _, f := range compiler.Features() {
		if f.Code == code.ID && f.Name == code.Title && inexact(f) {
			return f, true
		}
	}
	return compiler.Feature{}, false
}

// most of the same mistakes of an example; more of them say nothing new.
const most = 3

func writeExample(b *strings.Builder, s story, code string) {
	found := s.of(code)
	found = found[:min(len(found), most)]
	fmt.Fprint(b, "\n## Example\n\n")
	for _, name := range concerned(s, found) {
		writeFile(b, name, s.files[name])
	}
	rules := map[string]bool{}
	for i := range found {
		if found[i].Rule.BuiltIn() {
			rules[found[i].Rule.File] = true
			// Its line moves with every edit of the rules.
			found[i].Rule = diag.Position{}
		}
	}
	var text strings.Builder
	// A builder takes everything.
	_ = show.Text(&text, found, show.Options{})
	fmt.Fprintf(b, "is answered with\n\n```text\n%s```\n", text.String())
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Fprintf(b, "\nThe rule is written in [%s](../../%s).\n", rule, rule)
	}
	if len(s.fixed) == 0 {
		return
	}
	fmt.Fprint(b, "\n## Corrected\n\n")
	for _, name := range slices.Sorted(maps.Keys(s.fixed)) {
		writeFile(b, name, s.fixed[name])
	}
}

// wholeStory is how many lines of files are shown though no mistake names them:
// a policy is easier to read beside its ClusterSet, unless that is long.
const wholeStory = 30

// concerned returns the files to show: all of a small story, and otherwise those
// that the mistakes name.
func concerned(s story, ds []diag.Diagnostic) []string {
	if s.size() <= wholeStory {
		return slices.Sorted(maps.Keys(s.files))
	}
	names := map[string]bool{}
	for _, d := range ds {
		names[d.Position.File] = true
		for _, r := range d.Related {
			names[r.Position.File] = true
		}
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return s.files[name] == nil })
	return slices.Sorted(maps.Keys(names))
}

func writeFile(b *strings.Builder, name string, text []byte) {
	shown := strings.ToValidUTF8(strings.TrimRight(string(text), "\n"), "\ufffd")
	fmt.Fprintf(b, "`%s`:\n\n```yaml\n%s\n```\n\n", name, shown)
}
