// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/source"
)

// suggest proposes the nearest of the names, or lists them.
func suggest(name string, names []string) string {
	sorted := slices.Sorted(slices.Values(names))
	if best, ok := source.Nearest(name, sorted); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "there are " + strings.Join(sorted, ", ")
}

// nearLabel proposes the label that clusters have and that is nearest to one of
// those that were asked for and that none has; empty where none is near.
func nearLabel(wanted map[string]string, clusters []*Cluster) string {
	pair := func(k, v string) string { return k + ": " + v }
	there := map[string]bool{}
	for _, c := range clusters {
		for k, v := range c.Labels {
			there[pair(k, v)] = true
		}
	}
	known := slices.Sorted(maps.Keys(there))
	for _, k := range slices.Sorted(maps.Keys(wanted)) {
		if near, ok := source.Nearest(pair(k, wanted[k]), known); ok && near != pair(k, wanted[k]) {
			return near
		}
	}
	return ""
}
