// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/compiler/diag"
)

const (
	// maxDepth bounds how deep a document of ours is nested. The deepest field
	// of our kinds is at level 8.
	maxDepth = 32
	// maxExpanded bounds how many nodes the aliases of anybody's document may
	// stand for. A document that exceeds it was made to exhaust its reader.
	maxExpanded = 1_000_000
)

// parse reads one YAML document. Without a node the diagnostics hold whosever
// document it is; with one they hold only if it is ours.
func parse(c chunk) (*node, []diag.Diagnostic) {
	var doc yaml.Node
	if err := yaml.Unmarshal(c.text, &doc); err != nil {
		if isTemplate(c.text) {
			return nil, nil
		}
		return nil, []diag.Diagnostic{explainSyntax(c, err)}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	if expanded(doc.Content[0], map[*yaml.Node]int{}) > maxExpanded {
		return nil, []diag.Diagnostic{{Code: diag.CodeAlias, Severity: diag.Error,
			Message:  fmt.Sprintf("the aliases of this document stand for more than %d values", maxExpanded),
			Fix:      "write out what is meant",
			Position: c.at(doc.Content[0].Line, doc.Content[0].Column)}}
	}
	r := &reader{chunk: c}
	root := r.read(doc.Content[0], 1)
	return root, r.diags
}

// expanded counts the nodes that a node and its aliases stand for, at most a
// little more than maxExpanded. An alias inside its own anchor stands for
// infinitely many.
func expanded(n *yaml.Node, known map[*yaml.Node]int) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if size, ok := known[n]; ok {
		return size
	}
	known[n] = maxExpanded + 1
	size := 1
	for _, child := range n.Content {
		size = min(size+expanded(child, known), maxExpanded+1)
	}
	known[n] = size
	return size
}

// reader turns the parser's nodes into ours.
type reader struct {
	chunk   chunk
	diags   []diag.Diagnostic
	aliased bool
	deep    bool
}

func (r *reader) report(code string, at diag.Position, message, fix string) {
	r.diags = append(r.diags, diag.Diagnostic{Code: code, Severity: diag.Error, Message: message, Fix: fix, Position: at})
}

func (r *reader) read(y *yaml.Node, depth int) *node {
	n := &node{at: r.chunk.at(y.Line, y.Column), kind: brokenNode}
	switch {
	case depth > maxDepth:
		if !r.deep {
			r.deep = true
			r.report(diag.CodeTooDeep, n.at, fmt.Sprintf("the document is nested deeper than %d levels", maxDepth), "no field of ours is that deep: check the indentation")
		}
	case y.Kind == yaml.AliasNode:
		r.alias(n.at)
	case y.Style&yaml.TaggedStyle != 0 && !plainTag(y.ShortTag()):
		r.report(diag.CodeTag, n.at, fmt.Sprintf("the tag %s has no meaning here", shorten(y.Tag)), "remove it")
	case y.Kind == yaml.MappingNode:
		n.kind = mappingNode
		r.mapping(n, y, depth)
	case y.Kind == yaml.SequenceNode:
		n.kind = sequenceNode
		for _, item := range y.Content {
			n.items = append(n.items, r.read(item, depth+1))
		}
	case y.Kind == yaml.ScalarNode:
		n.kind, n.tag, n.text = scalarNode, y.ShortTag(), y.Value
	}
	return n
}

// plainTag tells whether a tag that was written out is one that JSON has.
func plainTag(tag string) bool {
	switch tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return true
	}
	return false
}

// alias reports the first alias of a document; the others need the same cure.
func (r *reader) alias(at diag.Position) {
	if r.aliased {
		return
	}
	r.aliased = true
	r.report(diag.CodeAlias, at, "YAML aliases and merge keys are not read in Fairlead documents: a reviewer must see the value where it counts", "write the value out here")
}

func (r *reader) mapping(n *node, y *yaml.Node, depth int) {
	seen := make(map[string]diag.Position, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		at := r.chunk.at(key.Line, key.Column)
		switch {
		case key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge":
			r.alias(at)
			n.partial = true
			continue
		case key.Kind != yaml.ScalarNode:
			r.report(diag.CodeType, at, "the key is not a string", "field names are plain words")
			n.partial = true
			continue
		}
		if first, twice := seen[key.Value]; twice {
			r.diags = append(r.diags, diag.Diagnostic{Code: diag.CodeDuplicateKey, Severity: diag.Error,
				Message: fmt.Sprintf("%q is given twice in the same mapping", shorten(key.Value)), Fix: "keep one of the two", Position: at,
				Related: []diag.Related{{Position: first, Message: "the first one"}}})
			continue
		}
		seen[key.Value] = at
		n.fields = append(n.fields, field{key: key.Value, keyAt: at, value: r.read(value, depth+1)})
	}
}
