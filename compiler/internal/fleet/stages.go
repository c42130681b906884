// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

const stagesPath = "spec.rollout.stages"

// stages resolves the stages of a rollout: every cluster is in exactly one.
func (b *builder) stages(s *Set, r *v1alpha1.Rollout) {
	if r == nil {
		return
	}
	taken := map[*Cluster]int{}
	for i, written := range r.Stages {
		path := fmt.Sprintf("%s[%d]", stagesPath, i)
		out := Stage{Name: written.Name, Soak: written.Soak}
		if len(written.Clusters)+len(written.MatchLabels) == 0 {
			if i < len(r.Stages)-1 {
				b.report(mistake{code: CodeStages, at: s.At(path), fix: "choose clusters, or move it to the end"},
					"stage %q chooses no cluster, and only the last stage is for the rest", written.Name)
				continue
			}
			for _, c := range s.Clusters {
				if _, ok := taken[c]; !ok {
					out.Clusters, taken[c] = append(out.Clusters, c), i
				}
			}
			s.Stages = append(s.Stages, out)
			continue
		}
		picked := b.choose(s.speaks(), written.ClusterSelector, path)
		for _, c := range picked.all() {
			first, ok := taken[c]
			if !ok {
				out.Clusters, taken[c] = append(out.Clusters, c), i
				continue
			}
			at := path + ".matchLabels"
			if slices.Contains(picked.named, c) {
				at = picked.paths[c]
			}
			b.report(mistake{code: CodeStages, at: s.At(at), fix: "leave it in one of them",
				related: also(s.At(fmt.Sprintf("%s[%d]", stagesPath, first)), "the other stage")},
				"cluster %q is in stage %q and in stage %q", c.Name, r.Stages[first].Name, written.Name)
		}
		s.Stages = append(s.Stages, out)
	}
	var left []*Cluster
	for _, c := range s.Clusters {
		if _, ok := taken[c]; !ok {
			left = append(left, c)
		}
	}
	if len(left) > 0 {
		b.report(mistake{code: CodeStages, at: s.At(stagesPath), fix: "add a last stage without clusters, which is for the rest"},
			"%s in no stage", isAre(left))
	}
}

// isAre begins a sentence about clusters.
func isAre(clusters []*Cluster) string {
	if len(clusters) == 1 {
		return fmt.Sprintf("cluster %q is", clusters[0].Name)
	}
	return fmt.Sprintf("clusters %s are", comma(clusters))
}
