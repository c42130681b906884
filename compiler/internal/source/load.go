// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Load reads every document of ours in files and checks each by itself. It
// reports all mistakes at once, in the order of their places. A document with
// a mistake is not among the Documents, unless as a Broken one; with any error
// the Documents are only good for finding further mistakes.
func Load(files fs.FS) (Documents, []diag.Diagnostic) { return load(files, nil) }

func load(files fs.FS, c *Cache) (Documents, []diag.Diagnostic) {
	l := &loader{}
	p := startPool(c)
	parts := walk(files, p)
	p.close()
	policies := 0
	for _, part := range parts {
		for _, document := range part.checked {
			policies += len(document.docs.Policies)
		}
	}
	l.docs.Policies = slices.Grow(l.docs.Policies, policies)
	for _, part := range parts {
		l.take(part)
	}
	l.reportSameNames()
	if l.seen == 0 && !diag.HasErrors(l.diags) {
		l.report(diag.Diagnostic{
			Code: diag.CodeNoDocuments, Severity: diag.Error,
			Message:  "no Fairlead document here: no .yaml or .yml file has an apiVersion of the group fairlead.dev",
			Fix:      "add a ClusterSet and a TrafficPolicy, or read another directory",
			Position: diag.Position{File: "."},
		})
	}
	slices.SortFunc(l.docs.ClusterSets, func(a, b ClusterSet) int { return a.Origin.start.Compare(b.Origin.start) })
	slices.SortFunc(l.docs.Policies, func(a, b Policy) int { return a.Origin.start.Compare(b.Origin.start) })
	slices.SortFunc(l.docs.Tests, func(a, b Test) int { return a.Origin.start.Compare(b.Origin.start) })
	if l.nameless {
		l.docs.Broken, l.docs.BrokenSets = nil, nil
	}
	for i, d := range l.diags { // l.diags are its own, whoever found them
		l.diags[i].Message, l.diags[i].Fix = oneLine(d.Message), oneLine(d.Fix)
	}
	return l.docs, diag.Sort(l.diags)
}

// loader gathers what the files of one repository hold.
type loader struct {
	docs  Documents
	diags []diag.Diagnostic
	// seen counts the documents that are ours, right or wrong.
	seen  int
	names []named
	// checked are the documents of a file that are not taken in yet.
	checked []*loader
	// identity of the document that a loader is for, where it is for one alone.
	identity *Identity
	// nameless is set once the name of a cluster cannot be read.
	nameless bool
}

// named is a document that says what it is called.
type named struct {
	id identity
	at diag.Position
}

func (l *loader) report(ds ...diag.Diagnostic) { l.diags = append(l.diags, ds...) }

// walk visits the files in lexical order, one after the other, and has the pool
// check them; there is a loader for each. Names that begin with a dot belong to
// tools. Symbolic links are not followed: they can point out of the repository.
func walk(files fs.FS, p *pool) []*loader {
	var parts []*loader
	// What cannot be read is reported, so the walk itself never fails.
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		l := &loader{}
		switch hidden := name != "." && strings.HasPrefix(path.Base(name), "."); {
		case err != nil:
			l.report(unreadable(name))
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir() || hidden || !isYAML(name):
			return nil
		case entry.Type()&fs.ModeSymlink != 0:
			l.report(diag.Diagnostic{Code: diag.CodeSymlink, Severity: diag.Warning,
				Message:  "symbolic links are not followed, so nothing is read here",
				Fix:      "put the file itself here",
				Position: diag.Position{File: name}})
		case !entry.Type().IsRegular():
			return nil
		default:
			text, ds := readFile(files, name)
			l.report(ds...)
			p.jobs <- job{into: l, name: name, text: text}
		}
		parts = append(parts, l)
		return nil
	})
	return parts
}

func isYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// document takes in one YAML document, if it is ours.
func (l *loader) document(c chunk) {
	root, ds := parse(c)
	if root == nil {
		l.report(ds...)
		return
	}
	h, headerDiags, ours := identify(root)
	if !ours {
		return
	}
	l.seen++
	ds = append(ds, headerDiags...)
	if h.kind != "" {
		if h.id.name != "" {
			l.names = append(l.names, named{h.id, h.nameAt})
		}
		origin := newOrigin(root, c)
		origin.identity = l.identity
		ds = checkDocument(root, h.kind, origin, ds)
		if diag.HasErrors(ds) {
			l.keepBroken(root, h.kind, origin)
		} else {
			ds = append(ds, l.keep(root, h.kind, origin)...)
		}
	}
	l.report(ds...)
}

// checkDocument adds the mistakes of one document, each once, to those that are
// known. The order matters: each check reads only what the ones before it found
// right.
func checkDocument(root *node, kind string, origin Origin, known []diag.Diagnostic) []diag.Diagnostic {
	c := newChecker(kind)
	c.diags = known
	seen := c.check(root, c.root, place{"", root.at})
	c.checkLabels()
	c.checkValues()
	c.checkForms()
	c.checkUnique()
	c.checkTables()
	c.checkRegexes()
	switch whole := (cursor{n: root, at: root.at}); kind {
	case v1alpha1.KindTrafficPolicy:
		c.checkPolicy(whole)
	case v1alpha1.KindClusterSet:
		c.checkSet(whole)
	}
	c.checkRules(seen, origin)
	return c.diags
}

// reportSameNames reports every document that has the name of an earlier one
// of its kind.
func (l *loader) reportSameNames() {
	slices.SortFunc(l.names, func(a, b named) int {
		return cmp.Or(a.id.compare(b.id), a.at.Compare(b.at))
	})
	first := 0
	for i := 1; i < len(l.names); i++ {
		if l.names[i].id != l.names[first].id {
			first = i
			continue
		}
		l.report(diag.Diagnostic{Code: diag.CodeSameName, Severity: diag.Error,
			Message:  fmt.Sprintf("there is already a %s", l.names[i].id),
			Fix:      "rename one of them or remove it",
			Position: l.names[i].at,
			Related:  []diag.Related{{Position: l.names[first].at, Message: "the first one"}}})
	}
}
