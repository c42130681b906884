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
