// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
)

// A rule with the attribute @needs(a,b) has nothing to say about a document
// that lacks a field of the name a or b, wherever it stands; several such
// attributes are alternatives. Rules take more time than everything else that
// is done to a document, and most documents say little.
const needsAttribute = "needs"

// rule is a rule by name, with what it needs: alternatives of fields, none for
// a rule that every document is checked by.
type rule struct {
	name  string
	needs [][]string
}

// concerns tells whether a document with fields of these names can break the
// rule.
func (r rule) concerns(present map[string]bool) bool {
	lacks := func(name string) bool { return !present[name] }
	return len(r.needs) == 0 || slices.ContainsFunc(r.needs, func(all []string) bool { return !slices.ContainsFunc(all, lacks) })
}

// maxSelections bounds how many selections of rules are kept, of each kind. Few
// are ever needed: authors say what others of their organisation say.
const maxSelections = 64

// selections are the rules of one kind, as a whole and as far as documents
// needed them: evaluating a struct evaluates all that is in it, so that those
// of a document stand in a struct of their own. They are safe for concurrent
// use.
type selections struct {
	kind  string
	texts map[string]string
	rules []rule
	whole cue.Value

	mu   sync.Mutex
	kept map[string]cue.Value
}

// concerning returns the rules that a document can break, and maybe more; a value
// that does not exist where there are none.
func (s *selections) concerning(document any) cue.Value {
	present := map[string]bool{}
	fieldNames(document, present)
	var names []string
	for _, r := range s.rules {
		if r.concerns(present) {
			names = append(names, r.name)
		}
	}
	if len(names) == 0 {
		return cue.Value{}
	}
	key := strings.Join(names, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.kept[key]; ok {
		return kept
	}
	if len(s.kept) >= maxSelections {
		return s.whole
	}
	built, err := s.build(names)
	if err != nil {
		// A part of rules that were built before.
		panic(fmt.Sprintf("build the rules %s of %s: %v", key, s.kind, err))
	}
	s.kept[key] = built
	return built
}

// fieldNames adds the names of all fields of a value.
func fieldNames(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			into[name] = true
			fieldNames(inner, into)
		}
	case []any:
		for _, inner := range v {
			fieldNames(inner, into)
		}
	}
}

// newSelections reads the needs of the rules of a kind.
func newSelections(texts map[string]string, kind string, whole cue.Value) (*selections, error) {
	s := &selections{kind: kind, texts: texts, whole: whole, kept: map[string]cue.Value{}}
	for _, name := range ruleFiles(texts) {
		file, err := parser.ParseFile(name, texts[name])
		if err != nil {
			return nil, err
		}
		eachRule(file, kind, func(f *ast.Field) bool {
			s.rules = append(s.rules, rule{name: nameOf(f), needs: needsOf(f)})
			return true
		})
	}
	return s, nil
}

// ruleFiles are the files that may hold rules, sorted. The generated ones hold
// none and are large.
func ruleFiles(texts map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(texts)), func(name string) bool { return strings.Contains(name, "zz_generated") })
}

// build compiles some of the rules.
func (s *selections) build(names []string) (cue.Value, error) {
	instance := build.NewContext().NewInstance("", nil)
	for _, name := range ruleFiles(s.texts) {
		file, err := parser.ParseFile(name, s.texts[name])
		if err != nil {
			return cue.Value{}, err
		}
		for _, kind := range written {
			eachRule(file, kind, func(f *ast.Field) bool { return kind == s.kind && slices.Contains(names, nameOf(f)) })
		}
		dropUnused(file)
		if err := instance.AddSyntax(file); err != nil {
			return cue.Value{}, err
		}
	}
	if err := instance.Complete(); err != nil {
		return cue.Value{}, err
	}
	all := newContext().BuildInstance(instance)
	return all.LookupPath(cue.ParsePath("#" + s.kind + "Rules")), all.Err()
}

// nameOf returns the name of a rule; empty where it has none that can be read.
func nameOf(f *ast.Field) string {
	name, _, _ := ast.LabelName(f.Label)
	return name
}

// needsOf returns what a rule needs.
func needsOf(rule *ast.Field) [][]string {
	var out [][]string
	for _, a := range rule.Attrs {
		if name, body := a.Split(); name == needsAttribute {
			out = append(out, strings.Split(body, ","))
		}
	}
	return out
}

// eachRule removes the rules of a kind that are not kept.
func eachRule(file *ast.File, kind string, keep func(*ast.Field) bool) {
	each(&file.Decls, "#"+kind+"Rules", func(rules *ast.StructLit) {
		each(&rules.Elts, mistakesPath.String(), func(mistakes *ast.StructLit) {
			mistakes.Elts = slices.DeleteFunc(mistakes.Elts, func(d ast.Decl) bool {
				rule, ok := d.(*ast.Field)
				return ok && !keep(rule)
			})
		})
	})
}

// each calls do with the structs of a name among declarations.
func each(decls *[]ast.Decl, name string, do func(*ast.StructLit)) {
	for _, d := range *decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if label, _, err := ast.LabelName(f.Label); err != nil || label != name {
			continue
		}
		if s, ok := f.Value.(*ast.StructLit); ok {
			do(s)
		}
	}
}

// dropUnused removes the imports and the lets that nothing refers to, which CUE
// refuses. Without a let, what it referred to may be unused as well.
func dropUnused(file *ast.File) {
	for dropped := true; dropped; {
		dropped = false
		used := map[ast.Node]bool{}
		ast.Walk(file, func(n ast.Node) bool {
			if ident, ok := n.(*ast.Ident); ok && ident.Node != nil {
				used[ident.Node] = true
			}
			return true
		}, nil)
		unused := func(n ast.Node) bool {
			if used[n] {
				return false
			}
			dropped = true
			return true
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.ImportDecl:
				d.Specs = slices.DeleteFunc(d.Specs, func(s *ast.ImportSpec) bool { return unused(s) })
			case *ast.Field:
				if s, ok := d.Value.(*ast.StructLit); ok {
					s.Elts = slices.DeleteFunc(s.Elts, func(e ast.Decl) bool {
						let, ok := e.(*ast.LetClause)
						return ok && unused(let)
					})
				}
			}
		}
	}
}
