// SPDX-License-Identifier: Apache-2.0

package source

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
)

// nodeKind is what a piece of YAML is.
type nodeKind int

// The kinds of node. A broken one was reported when it was read and is passed
// over in silence afterwards.
const (
	scalarNode nodeKind = iota
	mappingNode
	sequenceNode
	brokenNode
)

// node is a piece of a YAML document without what documents of ours do not
// have: aliases, merge keys, keys that are not strings, keys given twice.
type node struct {
	kind nodeKind
	// at is the place of the value.
	at diag.Position
	// tag is the short YAML tag of a scalar, such as !!int.
	tag string
	// text is a scalar as written, without its quotes.
	text   string
	fields []field
	// partial: entries of the mapping were not read.
	partial bool
	items   []*node
}

// field is one entry of a mapping.
type field struct {
	key   string
	keyAt diag.Position
	value *node
}

// get returns the value of a key, nil where there is none.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// holdsBroken tells whether a part of a node was reported when it was read.
func (n *node) holdsBroken() bool {
	return n.kind == brokenNode || slices.ContainsFunc(n.items, (*node).holdsBroken) ||
		slices.ContainsFunc(n.fields, func(f field) bool { return f.value.holdsBroken() })
}

// str returns the text of a string; empty when the node is anything else.
func (n *node) str() string {
	if n == nil || n.kind != scalarNode || !isString(n.tag) {
		return ""
	}
	return n.text
}

// isString tells whether a scalar is text. YAML 1.1 knows dates and times; in
// JSON, and so in Kubernetes, they are text.
func isString(tag string) bool { return tag == "!!str" || tag == "!!timestamp" }

// describe names what a node is, for messages.
func (n *node) describe() string {
	switch n.kind {
	case mappingNode:
		return "a mapping"
	case sequenceNode:
		return "a list"
	}
	switch n.tag {
	case "!!int":
		return "an integer"
	case "!!float":
		return "a decimal number"
	case "!!bool":
		return "a boolean"
	}
	return "a string"
}
