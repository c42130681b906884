// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"fmt"
	"maps"
	"strings"
)

// maxShown is how many elements a change names; of more it gives the number.
const maxShown = 8

// String says what a transaction does.
func (c change) String() string {
	var parts []string
	switch {
	case c.rebuild:
		parts = append(parts, "replace the table, whose sets or rules are others")
	case len(c.chains) > 0:
		parts = append(parts, "make the table")
	}
	parts = append(parts, elementsText("remove", c.deletes)...)
	parts = append(parts, elementsText("add", c.adds)...)
	for _, name := range c.staleChains {
		parts = append(parts, "remove chain "+name)
	}
	for _, s := range c.staleSets {
		parts = append(parts, "remove set "+s.name)
	}
	return strings.Join(parts, ", ")
}

func elementsText(verb string, list []element) []string {
	if len(list) > maxShown {
		return []string{fmt.Sprintf("%s %d elements", verb, len(list))}
	}
	var out []string
	for _, e := range list {
		text := fmt.Sprintf("%s %s{%s", verb, e.set.name, e.key)
		if e.value != "" {
			text += " : " + e.value
		}
		out = append(out, text+"}")
	}
	return out
}

// equal compares contents.
func equal(a, b content) bool {
	return maps.EqualFunc(a, b, func(x, y elements) bool { return maps.Equal(x, y) })
}
