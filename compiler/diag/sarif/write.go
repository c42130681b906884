// SPDX-License-Identifier: Apache-2.0

package sarif

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

const (
	schemaURI = "https://json.schemastore.org/sarif-2.1.0.json"
	// projectURI is where the project lives, by its module path.
	projectURI = "https://github.com/fairlead/fairlead"
	// rootID is the name that code hosts know the repository's root by.
	rootID = "%SRCROOT%"
	// fingerprintID names the way that fingerprints are made; another way
	// needs another number.
	fingerprintID = "fairlead/v1"
)

// Options say what the diagnostics are of.
type Options struct {
	// Version of the program; empty: not said.
	Version string
	// Codes describe the codes of the diagnostics.
	Codes []diag.Code
}

// Write writes the diagnostics as one log. Their files are relative to the
// repository's root.
func Write(w io.Writer, ds []diag.Diagnostic, o Options) error {
	r := run{
		Tool:       tool{driver{Name: "fairlead", Version: o.Version, InformationURI: projectURI, Rules: []descriptor{}}},
		ColumnKind: "unicodeCodePoints",
		BaseIDs:    map[string]artifactLocation{rootID: {Description: &text{Text: "the root of the repository"}}},
		Results:    []result{},
	}
	rules, seen := map[string]int{}, map[string]int{}
	for _, d := range ds {
		if _, ok := rules[d.Code]; !ok {
			rules[d.Code] = len(r.Tool.Driver.Rules)
			r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, o.descriptor(d.Code))
		}
		one := newResult(d)
		one.RuleIndex = rules[d.Code]
		print := fingerprint(d)
		seen[print]++
		one.Fingerprints = map[string]string{fingerprintID: fmt.Sprintf("%s:%d", print, seen[print])}
		r.Results = append(r.Results, one)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(log{Schema: schemaURI, Version: "2.1.0", Runs: []run{r}})
}

// descriptor describes a code. One that nobody described has its number.
func (o Options) descriptor(id string) descriptor {
	c := diag.Code{ID: id, Title: id, Doc: id}
	for _, known := range o.Codes {
		if known.ID == id {
			c = known
		}
	}
	return descriptor{ID: id, Short: text{Text: c.Title}, Full: text{Text: c.Doc},
		Help:     text{Text: c.Doc, Markdown: fmt.Sprintf("**%s: %s**\n\n%s", c.ID, c.Title, c.Doc)},
		HelpURI:  projectURI + "/blob/main/" + c.Page(),
		Defaults: configuration{string(c.Level())}}
}

func newResult(d diag.Diagnostic) result {
	message := d.Message
	if d.Fix != "" {
		message += " (" + d.Fix + ")"
	}
	// SARIF calls our two severities by the same words.
	out := result{RuleID: d.Code, Level: string(d.Severity), Message: text{Text: message}}
	if at, ok := newPhysical(d.Position, d.EndColumn); ok {
		out.Locations = []location{{Physical: at}}
	}
	related := d.Related
	if d.Rule != (diag.Position{}) {
		out.Properties = map[string]string{"rule": d.Rule.String()}
		if !d.Rule.BuiltIn() {
			related = append(related[:len(related):len(related)], diag.Related{Position: d.Rule, Message: "the rule"})
		}
	}
	for i, other := range related {
		if at, ok := newPhysical(other.Position, other.EndColumn); ok {
			out.Related = append(out.Related, location{ID: i + 1, Physical: at, Message: &text{Text: other.Message}})
		}
	}
	return out
}

// newPhysical returns false for what is about no file in particular.
func newPhysical(p diag.Position, end int) (physical, bool) {
	if p.File == "" || p.File == "." {
		return physical{}, false
	}
	out := physical{Artifact: artifactLocation{URI: (&url.URL{Path: p.File}).String(), BaseID: rootID}}
	if p.Line > 0 {
		out.Region = &region{StartLine: p.Line, StartColumn: p.Column, EndColumn: end}
	}
	return out, true
}

// fingerprint tells a mistake from others without its line: by its code, its
// file, what it says and what stands there.
func fingerprint(d diag.Diagnostic) string {
	sum := sha256.New()
	for _, part := range []string{d.Code, d.Position.File, d.Message, strings.TrimSpace(d.Excerpt.Text)} {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	// Half of the sum is more than enough to be unique in a repository.
	return fmt.Sprintf("%x", sum.Sum(nil)[:16])
}
