// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// stages resolves the stages of a rollout. That every cluster is in exactly one
// was checked where the set was read.
func (b *builder) stages(s *Set, r *v1alpha1.Rollout) {
	if r == nil {
		return
	}
	taken := map[*Cluster]bool{}
	for i, written := range r.Stages {
		out := Stage{Name: written.Name, Soak: written.Soak}
		rest := len(written.Clusters)+len(written.MatchLabels) == 0
		if !rest {
			out.Clusters = b.choose(s.speaks(), written.ClusterSelector, fmt.Sprintf("spec.rollout.stages[%d]", i)).all()
		}
		for _, c := range s.Clusters {
			if rest && !taken[c] {
				out.Clusters = append(out.Clusters, c)
			}
			taken[c] = taken[c] || slices.Contains(out.Clusters, c)
		}
		s.Stages = append(s.Stages, out)
	}
}
