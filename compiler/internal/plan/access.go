// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// access plans who may call the service in the cluster of its pods.
func (b *builder) access(s *fleet.Service, c *fleet.Cluster) *Access {
	a := s.Access
	if a == nil {
		return nil
	}
	provider := v1alpha1.Provider(c.EastWest)
	if a.By == nil {
		// The set denies, and no line of the policy's says so.
		if !b.settle(s, s.Producer, c, refusals(s.Producer, provider, []need{{feature: DefaultDeny, path: "spec.service.name"}})) {
			return nil
		}
		return &Access{}
	}
	if !b.settle(s, a.By, c, refusals(a.By, provider, accessNeeds(s, a, c))) {
		return nil
	}
	return planAccess(s, a)
}

// planAccess names the clusters of every entry.
func planAccess(s *fleet.Service, a *fleet.Access) *Access {
	plan := &Access{}
	for _, rule := range a.Allow {
		entry := AccessRule{AccessRule: rule.AccessRule, All: len(rule.Clusters) == 0}
		clusters := rule.Clusters
		if entry.All {
			clusters = s.Set.Clusters
		}
		for _, from := range clusters {
			entry.Clusters = append(entry.Clusters, AccessCluster{Name: from.Name, TrustDomain: from.Mesh.TrustDomain})
		}
		plan.Allow = append(plan.Allow, entry)
	}
	return plan
}

// accessNeeds is what an access block needs of the provider in the cluster of
// the pods.
func accessNeeds(s *fleet.Service, a *fleet.Access, c *fleet.Cluster) []need {
	out := []need{{feature: AccessCallers, path: "spec.access"}}
	if s.Producer.TLS == v1alpha1.TLSDisable && len(a.Allow) > 0 {
		out = append(out, need{feature: ClearTextAccess, path: "spec.access"})
	}
	for _, r := range a.Allow {
		if len(r.Methods) > 0 {
			out = append(out, need{feature: AccessRequests, path: r.Path + ".methods"})
		}
		if len(r.Paths) > 0 {
			out = append(out, need{feature: AccessRequests, path: r.Path + ".paths"})
		}
		if len(r.PodLabels) > 0 {
			out = append(out, need{feature: AccessLabels, path: r.Path + ".podLabels"})
		}
		if like := twin(s.Set, r.Clusters, c); like != "" {
			out = append(out, need{feature: ClusterIdentity, path: r.Path + ".clusters", detail: like})
		}
	}
	if c.EastWest == v1alpha1.EastWestCilium {
		out = append(out, combinationNeeds(s, a)...)
	}
	return out
}

// twin finds a cluster that is not named and has the trust domain of one that
// is: their callers cannot be told apart.
func twin(set *fleet.Set, named []*fleet.Cluster, c *fleet.Cluster) string {
	if len(named) == 0 || c.EastWest != v1alpha1.EastWestIstio {
		return ""
	}
	for _, other := range set.Clusters {
		if other.EastWest != v1alpha1.EastWestIstio || slices.Contains(named, other) {
			continue
		}
		for _, n := range named {
			if n.EastWest == v1alpha1.EastWestIstio && n.Mesh.TrustDomain == other.Mesh.TrustDomain {
				return fmt.Sprintf("%s and %s have trust domain %s", n.Name, other.Name, n.Mesh.TrustDomain)
			}
		}
	}
	return ""
}

// settle reports what a provider refuses and says whether nothing does. Where
// exporters were only observed it is pending: observation rejects nothing.
func (b *builder) settle(s *fleet.Service, p *fleet.Policy, c *fleet.Cluster, refused []diag.Diagnostic) bool {
	if !s.Adopted {
		b.diags = append(b.diags, refused...)
		return true
	}
	for _, d := range refused {
		b.pending(c, Fragment(p), "%s: %s (%s)", d.Position, d.Message, d.Fix)
	}
	return len(refused) == 0
}
