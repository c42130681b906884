// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas"
)

// ruleSet is what CUE knows of one kind.
type ruleSet struct {
	// definition is what a document must be.
	definition cue.Value
	// rules take a document and give its mistakes, a list for each rule.
	rules cue.Value
	// selected are the same rules, for documents that not all of them concern.
	selected *selections
	// mistakes is what each of these lists must be.
	mistakes cue.Value
	// tables are rules that are compared with documents in Go.
	tables tables
}

var (
	documentPath = cue.ParsePath("document")
	mistakesPath = cue.ParsePath("mistakes")
)

// ruleSets are built once: building takes longer than checking a document. They
// are safe for concurrent use. They are part of the program, so broken ones are
// a broken program.
var ruleSets = sync.OnceValue(func() map[string]ruleSet {
	texts, err := schemas.CUE()
	if err != nil {
		panic(fmt.Sprintf("read the CUE files: %v", err))
	}
	sets, err := buildRules(texts)
	if err != nil {
		panic(fmt.Sprintf("build the CUE files: %v", err))
	}
	return sets
})

// buildRules compiles CUE files, given by path.
func buildRules(texts map[string]string) (map[string]ruleSet, error) {
	instance := build.NewContext().NewInstance("", nil)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		file, err := parser.ParseFile(name, texts[name])
		if err != nil {
			return nil, err
		}
		if err := instance.AddSyntax(file); err != nil {
			return nil, err
		}
	}
	if err := instance.Complete(); err != nil {
		return nil, err
	}
	all := newContext().BuildInstance(instance)
	if err := all.Err(); err != nil {
		return nil, err
	}
	sets := make(map[string]ruleSet, len(written))
	for _, kind := range written {
		s := ruleSet{
			definition: all.LookupPath(cue.ParsePath("#" + kind)),
			rules:      all.LookupPath(cue.ParsePath("#" + kind + "Rules")),
			mistakes:   all.LookupPath(cue.ParsePath("#Mistakes")),
			tables:     tables{rows: all.LookupPath(cue.ParsePath("tables." + kind)), form: all.LookupPath(cue.ParsePath("#Tables"))},
		}
		if !s.definition.Exists() || !s.rules.Exists() || !s.mistakes.Exists() || !s.tables.rows.Exists() || !s.tables.form.Exists() {
			return nil, fmt.Errorf("%s lacks its definition, rules or tables", kind)
		}
		var err error
		if s.selected, err = newSelections(texts, kind, s.rules); err != nil {
			return nil, err
		}
		sets[kind] = s
	}
	return sets, nil
}

// newContext names the evaluator, which the environment would choose otherwise.
func newContext() *cue.Context { return cuecontext.New(cuecontext.EvaluatorVersion(cuecontext.EvalV3)) }

// mistake is what a rule says.
type mistake struct {
	Code    string `json:"code"`
	At      string `json:"at"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
	Reads   string `json:"reads"`
	Other   string `json:"other"`
	OtherIs string `json:"otherIs"`
}

// checkRules checks what CUE says of a document: first its rules, then, when
// nothing is wrong at all, that it is what the definition says.
func (c *checker) checkRules(seen any, origin Origin) {
	set := ruleSets()[c.kind]
	set.rules = set.selected.concerning(seen)
	if !set.rules.Exists() && len(c.diags) > 0 {
		return // CUE has nothing to say
	}
	// A context of its own for each document: contexts never shrink.
	document := newContext().Encode(seen)
	found := c.ruleMistakes(set, document, origin)
	c.diags = append(c.diags, found...)
	if len(c.diags) == 0 {
		c.diags = append(c.diags, set.check(c.kind, document, origin)...)
	}
}

// ruleMistakes returns what the rules say, except about what is wrong anyway.
func (c *checker) ruleMistakes(set ruleSet, document cue.Value, origin Origin) []diag.Diagnostic {
	if !set.rules.Exists() {
		return nil
	}
	fields, err := set.rules.FillPath(documentPath, document).LookupPath(mistakesPath).Fields()
	if err != nil {
		return []diag.Diagnostic{disagreement(c.kind, origin.start)}
	}
	var found []diag.Diagnostic
	for fields.Next() {
		found = append(found, c.mistakesOf(fields.Value(), set.mistakes, origin)...)
	}
	return found
}

// mistakesOf returns what one rule says.
func (c *checker) mistakesOf(rule, shape cue.Value, origin Origin) []diag.Diagnostic {
	if n, err := rule.Len().Int64(); err == nil && n == 0 {
		return nil
	}
	var mistakes []mistake
	if err := rule.Unify(shape).Decode(&mistakes); err != nil {
		// A rule may stumble over what the shape has wrong; over nothing else.
		if len(c.diags) > 0 {
			return nil
		}
		return []diag.Diagnostic{disagreement(c.kind, origin.start)}
	}
	var found []diag.Diagnostic
	for _, m := range mistakes {
		if !c.touches(cmp.Or(m.Reads, m.At)) {
			found = append(found, m.diagnostic(rule, origin))
		}
	}
	return found
}

// diagnostic places a mistake in the user's file and its rule in ours.
func (m mistake) diagnostic(rule cue.Value, origin Origin) diag.Diagnostic {
	d := diag.Diagnostic{Code: m.Code, Severity: diag.Error, Message: m.Message, Fix: m.Fix, Position: origin.At(m.At)}
	if m.Other != "" {
		d.Related = append(d.Related, diag.Related{Position: origin.At(m.Other), Message: m.OtherIs})
	}
	pos := rule.Pos()
	d.Rule = diag.Position{File: pos.Filename(), Line: pos.Line(), Column: pos.Column()}
	return d
}

// check tells whether a document is what its definition says. What it finds was
// overlooked by the checks in Go, which speak more clearly. Asking whether the
// definition subsumes the document takes a tenth of the time of unifying them,
// and differs in one thing: it does not miss fields that are required.
func (s ruleSet) check(kind string, document cue.Value, origin Origin) []diag.Diagnostic {
	if err := s.definition.Subsume(document, cue.Final()); err != nil {
		return []diag.Diagnostic{disagreement(kind, origin.start)}
	}
	return nil
}

// disagreement reports a document that some of our own checks pass and others
// do not.
func disagreement(kind string, at diag.Position) diag.Diagnostic {
	return diag.Diagnostic{Code: diag.CodeDefinition, Severity: diag.Error, Position: at,
		Message: fmt.Sprintf("this is not a valid %s, and Fairlead cannot say why", kind),
		Fix:     "report it: a check of Fairlead is missing"}
}
