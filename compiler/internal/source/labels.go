// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/fairlead/fairlead/compiler/diag"
)

// labelMap is a map from strings to strings of which each entry is right.
type labelMap struct {
	place
	entries []labelEntry
}

type labelEntry struct {
	key, value string
	keyAt, at  diag.Position
}

// checkLabels checks label maps as Kubernetes would.
func (c *checker) checkLabels() {
	for _, m := range c.labels {
		for _, e := range m.entries {
			if len(validation.IsQualifiedName(e.key)) > 0 {
				c.report(place{join(m.path, e.key), e.keyAt}, diag.CodeLabel, fmt.Sprintf("%q is not the key of a label", shorten(e.key)),
					"use letters, digits, dashes, dots and underscores, at most 63, after an optional domain and slash")
			}
			// The values of annotations are free.
			if m.path != "metadata.annotations" && len(validation.IsValidLabelValue(e.value)) > 0 {
				c.report(place{join(m.path, e.key), e.at}, diag.CodeLabel, fmt.Sprintf("%q is not the value of a label", shorten(e.value)),
					"use letters, digits, dashes, dots and underscores, at most 63, with a letter or digit at both ends")
			}
		}
	}
}

// checkBackends reports backends of a rule that are the same pods.
func (c *checker) checkBackends(root *node) {
	rules := root.get("spec").get("rules")
	if rules == nil || slices.Contains(c.wrong, "spec.rules") {
		return
	}
	for i, r := range rules.items {
		backends := r.get("backends")
		if backends == nil || slices.Contains(c.wrong, index("spec.rules", i)+".backends") {
			continue
		}
		first := map[string]diag.Position{}
		for j, b := range backends.items {
			at := place{index(index("spec.rules", i)+".backends", j), b.at}
			if b.get("cluster").str() == "" || c.touches(at.path) {
				continue
			}
			key := b.get("cluster").str() + "/" + b.get("subset").labels()
			before, twice := first[key]
			if !twice {
				first[key] = b.at
				continue
			}
			c.report(at, diag.CodeSameBackend, "this backend is given twice in the rule", "keep one of the two; a backend has one weight and one priority")
			c.diags[len(c.diags)-1].Related = []diag.Related{{Position: before, Message: "the first one"}}
		}
	}
}

// labels writes a label map in one way.
func (n *node) labels() string {
	m := map[string]string{}
	if n != nil {
		for _, f := range n.fields {
			m[f.key] = f.value.text
		}
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s=%s,", key, m[key])
	}
	return b.String()
}

// touches tells whether something at, in or around a path is wrong.
func (c *checker) touches(path string) bool {
	return slices.ContainsFunc(c.wrong, func(w string) bool { return within(w, path) || within(path, w) })
}

// within tells whether a path is another one or inside it.
func within(inner, outer string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
