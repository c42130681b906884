// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler"
)

// referencePages returns the reference of each kind and of the feature matrix,
// by path.
func referencePages(root string) (map[string]string, error) {
	comments, err := typeComments(root)
	if err != nil {
		return nil, err
	}
	features := compiler.Features()
	pages := map[string]string{"reference/features.md": featurePage(features)}
	known := map[string]bool{}
	for _, d := range documents() {
		doc, blocks, err := d.blocks(comments)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		fmt.Fprintf(&b, generated+"# %s\n\n%s\n\n%s", d.kind, oneLine(doc), how)
		for _, one := range blocks {
			known[one.path] = true
			for _, f := range one.fields {
				known[f.path] = true
			}
			writeBlock(&b, one, features)
		}
		pages["reference/"+strings.ToLower(d.kind)+".md"] = b.String()
	}
	for _, f := range features {
		for _, path := range f.Fields {
			if !known[path] {
				return nil, fmt.Errorf("the feature %s names the field %s, which no kind has", f.Name, path)
			}
		}
	}
	return pages, nil
}

// how explains the tables.
const how = "Every field, with its type and limits, what holds where it is left out, and, for what not every provider of routing does\n" +
	"exactly, what each makes of it: *exact* as written; *degraded*, which is an error until the policy accepts it by the name shown; *refused*,\n" +
	"which is an error with the way out. Each name leads to the details in [features.md](features.md). A field without a word about\n" +
	"providers means the same with all that take its block, of which the line above the table tells; a block without that line is\n" +
	"for all. What fields say together is checked by\n" +
	"[rules](../codes/README.md).\n"

func writeBlock(b *strings.Builder, one block, features []compiler.Feature) {
	title := one.path
	if one.list {
		title += "[]"
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, oneLine(one.doc))
	if what := one.providers(features); what != "" {
		fmt.Fprintf(b, "With %s\n\n", what)
	}
	b.WriteString("| field | type | left out | meaning |\n|---|---|---|---|\n")
	for _, f := range one.fields {
		meaning := f.meaning()
		if what := f.providers(features); what != "" {
			meaning += "<br>" + what
		}
		absent := f.absent()
		if absent == "" && one.oneOf() {
			absent = "another is given"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, cell(words(f.typ, f.schema)), cell(absent), cell(meaning))
	}
}

// cell writes text into a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// providers says what each provider makes of a field, empty where the matrix
// does not speak of it or of a block around it.
func (f field) providers(features []compiler.Feature) string {
	governing := f.asked(features)
	if len(governing) == 0 {
		return ""
	}
	for _, one := range features {
		if f.inside(one) {
			governing = append(governing, one)
		}
	}
	byOutcome, order := map[string][]string{}, []string(nil)
	for i, provider := range compiler.Providers() {
		what := outcomes(governing, i)
		if byOutcome[what] == nil {
			order = append(order, what)
		}
		byOutcome[what] = append(byOutcome[what], provider)
	}
	var parts []string
	for _, what := range order {
		parts = append(parts, fmt.Sprintf("**%s**: %s", strings.Join(byOutcome[what], ", "), what))
	}
	return strings.Join(parts, "; ") + "."
}

// divided are the blocks of which providers have some uses and not others: that
// stands with the fields.
var divided = []string{"spec.service", "spec.imports", "spec.rules", "spec.rules.backends"}

// providers says what each provider makes of a block: of what asks for it, and of
// the blocks around it.
func (b block) providers(features []compiler.Feature) string {
	around := field{path: b.path}
	for around.path != "spec" && len(around.asked(features)) == 0 {
		around.path = around.path[:strings.LastIndexByte(around.path, '.')]
	}
	if slices.Contains(divided, around.path) {
		return ""
	}
	return around.providers(features)
}

// asked returns the features that a field asks for.
func (f field) asked(features []compiler.Feature) []compiler.Feature {
	var out []compiler.Feature
	for _, one := range features {
		if slices.Contains(one.Fields, f.path) {
			out = append(out, one)
		}
	}
	return out
}

// inside tells whether a field is in a block that is a feature by itself: who
// refuses the block refuses the field.
func (f field) inside(one compiler.Feature) bool {
	return slices.ContainsFunc(one.Fields, func(path string) bool {
		return strings.HasSuffix(path, "."+one.Name) && strings.HasPrefix(f.path, path+".")
	})
}

// outcomes says what the provider at a place makes of features.
func outcomes(features []compiler.Feature, provider int) string {
	var out []string
	for _, f := range features {
		if text := outcome(f, f.Support[provider]); text != "" {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return "exact"
	}
	return strings.Join(out, ", ")
}

// outcome says what a provider makes of a feature; empty where it is exact.
func outcome(f compiler.Feature, s compiler.Support) string {
	link := fmt.Sprintf("[%s](features.md#%s)", f.Name, strings.ToLower(f.Name))
	switch {
	case s.Refusal != "" && f.Sometimes:
		return "some uses refused (" + link + ")"
	case s.Refusal != "":
		return "refused (" + link + ")"
	case s.Degradation != "":
		return fmt.Sprintf("degraded (%s, accepted as `%s`)", link, s.Degradation)
	case s.Partly != "":
		return "in part (" + link + ")"
	case s.Since != "":
		return fmt.Sprintf("exact from version %s (%s)", s.Since, link)
	}
	return ""
}

// featurePage shows the feature matrix.
func featurePage(features []compiler.Feature) string {
	var b strings.Builder
	b.WriteString(generated + "# Features\n\nWhat each provider of routing makes of what a policy asks. This is the table that the compiler itself reads.\n\n")
	b.WriteString("A *degraded* feature is an error until the policy lists its name and the provider in `spec.acceptDegradations`; a *refused* one is an error,\n" +
		"and the page of its code shows one. Who refuses a block, such as `matches`, refuses everything in it.\n\n")
	fmt.Fprintf(&b, "| feature | %s |\n|---|%s\n", strings.Join(compiler.Providers(), " | "), strings.Repeat("---|", len(compiler.Providers())))
	for _, f := range features {
		fmt.Fprintf(&b, "| [%s](#%s) |", f.Name, strings.ToLower(f.Name))
		for _, s := range f.Support {
			fmt.Fprintf(&b, " %s |", short(s))
		}
		b.WriteByte('\n')
	}
	for _, f := range features {
		writeFeature(&b, f)
	}
	b.WriteString("\n## Degradations\n\n| name | what differs |\n|---|---|\n")
	for _, d := range compiler.Degradations() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", d.Name, cell(d.Text))
	}
	return b.String()
}

func short(s compiler.Support) string {
	switch {
	case s.Refusal != "":
		return "refused"
	case s.Degradation != "":
		return "`" + s.Degradation + "`"
	case s.Partly != "":
		return "in part"
	case s.Since != "":
		return "from " + s.Since
	}
	return "exact"
}

func writeFeature(b *strings.Builder, f compiler.Feature) {
	fmt.Fprintf(b, "\n## %s\n\n", f.Name)
	if len(f.Fields) > 0 {
		some := ""
		if f.Sometimes {
			some = "some uses of "
		}
		fmt.Fprintf(b, "Asked for by %s`%s`. ", some, strings.Join(f.Fields, "`, `"))
	}
	if inexact(f) {
		fmt.Fprintf(b, "Code [%s](../codes/%s.md).", f.Code, f.Code)
	}
	b.WriteString("\n\n")
	writeSupport(b, f, "#degradations")
}

// writeSupport lists what each provider makes of a feature; degradations are
// described at a link.
func writeSupport(b *strings.Builder, f compiler.Feature, degradations string) {
	for _, s := range f.Support {
		fmt.Fprintf(b, "- **%s**: ", s.Provider)
		switch {
		case s.Refusal != "":
			fmt.Fprintf(b, "refused: %s. Instead: %s.\n", s.Refusal, s.Fix)
		case s.Degradation != "":
			fmt.Fprintf(b, "degraded, accepted as [`%s`](%s). %s\n", s.Degradation, degradations, differs(s.Degradation))
		case s.Partly != "":
			since := ""
			if s.Since != "" {
				since = fmt.Sprintf(", from version %s", s.Since)
			}
			fmt.Fprintf(b, "in part%s: %s.\n", since, s.Partly)
		case s.Since != "":
			fmt.Fprintf(b, "exact from version %s; with an older one the policy is pending in that cluster.\n", s.Since)
		default:
			b.WriteString("exact.\n")
		}
	}
}

// inexact tells whether some provider does less than a feature.
func inexact(f compiler.Feature) bool {
	return slices.ContainsFunc(f.Support, func(s compiler.Support) bool { return s.Refusal+s.Degradation != "" })
}

// differs says what a degradation makes different.
func differs(name string) string {
	for _, d := range compiler.Degradations() {
		if d.Name == name {
			return d.Text
		}
	}
	return ""
}
