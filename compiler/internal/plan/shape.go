// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
)

// shapeNeeds finds what a provider cannot say that knows only its own cluster
// and all others together, and shares a Service among all that export it.
func shapeNeeds(s *fleet.Service, rules []Rule) []need {
	var out []need
	for _, r := range rules {
		if len(r.Tiers) == 0 {
			continue
		}
		at, in := r.Tiers[0][0].path, map[string]bool{}
		for _, tier := range r.Tiers {
			for _, b := range tier {
				in[b.Cluster] = true
			}
		}
		var left []string
		for _, e := range s.Exporters {
			if !in[e.Name] {
				left = append(left, e.Name)
			}
		}
		if len(left) > 0 {
			out = append(out, need{feature: EveryExporter, path: at, detail: "it leaves out " + strings.Join(left, ", ")})
		}
		if !homeFirstOrLast(r) {
			out = append(out, need{feature: ManyTiers, path: at, detail: fmt.Sprintf("rule %q has %d priorities", r.Label, len(r.Tiers))})
		}
	}
	return out
}

// homeFirstOrLast tells whether a rule is one tier, or two with the consumer's
// own cluster alone in one of them.
func homeFirstOrLast(r Rule) bool {
	alone := func(tier []Backend) bool { return len(tier) == 1 && tier[0].Local }
	return len(r.Tiers) == 1 || len(r.Tiers) == 2 && (alone(r.Tiers[0]) || alone(r.Tiers[1]))
}
