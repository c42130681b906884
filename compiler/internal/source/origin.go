// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strconv"

	"github.com/fairlead/fairlead/compiler/diag"
)

// newOrigin notes where every field of a document stands: a scalar, or a
// collection in brackets, at its value; a collection over several lines at the
// key above it, because that is the line that names it.
func newOrigin(root *node, c chunk) Origin {
	o := Origin{file: c.file, start: root.at, fields: map[string]diag.Position{}}
	o.note("", root)
	return o
}

func (o Origin) note(path string, n *node) {
	for _, f := range n.fields {
		p := join(path, f.key)
		o.fields[p] = f.value.at
		if f.value.at.Line != f.keyAt.Line && f.value.kind != scalarNode {
			o.fields[p] = f.keyAt
		}
		o.note(p, f.value)
	}
	for i, item := range n.items {
		p := index(path, i)
		o.fields[p] = item.at
		o.note(p, item)
	}
}

// join appends a field to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// index appends a place in a list to a path.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
