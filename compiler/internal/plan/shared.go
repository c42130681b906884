// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
)

// oneOfSeveral tells whether the istiod of a cluster configures others besides.
func oneOfSeveral(c *fleet.Cluster) bool {
	home := c.Mesh.ControlPlane
	return home != nil && slices.ContainsFunc(c.Set.Clusters, func(other *fleet.Cluster) bool { return other != c && other.Mesh.ControlPlane == home })
}

// sharedNeeds is what rules need of one istiod that knows the pods of several
// clusters: it keeps the chains of different rules apart, but can tell what
// stands below the first cluster of a chain only by what all have in common.
func sharedNeeds(wanted []need, rules []Rule) []need {
	out := slices.DeleteFunc(slices.Clone(wanted), func(n need) bool { return n.feature == HomeFallbacks || n.feature == RepeatedCluster })
	for _, r := range rules {
		for _, c := range r.Chains() {
			if len(c.Tiers) > 0 && len(c.Uniform().Tiers) == 0 {
				out = append(out, need{feature: UnlikeChain, path: c.Tiers[0][0].path})
			}
		}
	}
	return out
}
