// SPDX-License-Identifier: Apache-2.0

package source

import "github.com/fairlead/fairlead/compiler/diag"

// cursor is a place in a document and what is there, which may be nothing or
// something of the wrong shape.
type cursor struct {
	n    *node
	path string
	// at is where messages about the whole of it point.
	at diag.Position
}

// get goes to a field, and on to a field of that. Where there is none, the
// cursor is at nothing.
func (x cursor) get(names ...string) cursor {
	for _, name := range names {
		next := cursor{path: join(x.path, name), at: x.at}
		if x.n != nil {
			for _, f := range x.n.fields {
				if f.key == name {
					next.n, next.at = f.value, place{path: x.path}.field(f).at
				}
			}
		}
		x = next
	}
	return x
}

// items returns the items of a list; none when it is no list.
func (x cursor) items() []cursor {
	if x.n == nil {
		return nil
	}
	all := make([]cursor, 0, len(x.n.items))
	for i, item := range x.n.items {
		all = append(all, cursor{n: item, path: index(x.path, i), at: item.at})
	}
	return all
}

func (x cursor) place() place { return place{x.path, x.at} }

func (x cursor) name() string { return x.place().name() }

// text is a scalar as written; empty when it is anything else.
func (x cursor) text() string {
	if x.n == nil || x.n.kind != scalarNode {
		return ""
	}
	return x.n.text
}

// there tells whether something was written.
func (x cursor) there() bool { return x.n != nil }

// stands tells whether something was written that means something: every
// mapping, even an empty one, and what says something.
func (x cursor) stands() bool { return x.says() || x.there() && x.n.kind == mappingNode }

// says tells whether what was written has something in it.
func (x cursor) says() bool {
	if x.n == nil {
		return false
	}
	switch x.n.kind {
	case mappingNode:
		return len(x.n.fields) > 0
	case sequenceNode:
		return len(x.n.items) > 0
	}
	return x.n.text != ""
}
