// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// door says whether a caller is let in to a service.
type door struct {
	// open to the caller as it is; alike where clusters of one trust domain
	// cannot be told apart.
	open, alike bool
	at          diag.Position
}

// door finds out whether the caller may call a port of a service in a cluster.
// Only a cluster that exports the service offers it to be called or not.
func (e *evaluation) door(s *fleet.Service, c *fleet.Cluster, port int32) door {
	governed := s != nil && s.ExportedBy(c) && slices.ContainsFunc(s.Ports, func(p fleet.Port) bool { return p.Number == port && p.Transport() == transport(e.request) })
	if !governed || s.Access == nil {
		return door{open: true, alike: true}
	}
	out := door{at: s.Producer.At("spec.service.name")}
	if by := s.Access.By; by != nil {
		out.at = by.At("spec.access")
	}
	for _, rule := range s.Access.Allow {
		if !e.within(rule, port) {
			continue
		}
		named := func(same func(*fleet.Cluster) bool) bool {
			return len(rule.Clusters) == 0 || slices.ContainsFunc(rule.Clusters, same)
		}
		if named(func(c *fleet.Cluster) bool { return c == e.home }) {
			return door{open: true, alike: true, at: s.Access.By.At(rule.Path)}
		}
		out.alike = out.alike || named(func(c *fleet.Cluster) bool {
			return c.EastWest == v1alpha1.EastWestIstio && e.home.EastWest == c.EastWest && c.Mesh.TrustDomain == e.home.Mesh.TrustDomain
		})
	}
	return out
}

// within tells whether a request meets everything that an entry says but the
// clusters: the request as it arrives, after the rule has rewritten its path.
func (e *evaluation) within(a fleet.AccessRule, port int32) bool {
	r := e.request
	r.Path = cmp.Or(e.answer.Applied[pathApplied], r.Path)
	// At the gateway itself a request is of no cluster, namespace or account; where
	// pods guard themselves they see the gateway, which has them.
	if e.guarded() && len(a.Clusters)+len(a.Namespaces)+len(a.ServiceAccounts)+len(a.PodLabels) > 0 {
		return false
	}
	return (len(a.Namespaces) == 0 || slices.Contains(a.Namespaces, r.From.Namespace)) &&
		(len(a.ServiceAccounts) == 0 || slices.Contains(a.ServiceAccounts, r.From.Account)) &&
		hasAll(r.From.Labels, a.PodLabels) &&
		(len(a.Ports) == 0 || slices.Contains(a.Ports, v1alpha1.PortNumber(port))) &&
		(len(a.Methods) == 0 || r.L7() && slices.Contains(a.Methods, v1alpha1.Method(r.Method))) &&
		(len(a.Paths) == 0 || r.L7() && slices.ContainsFunc(a.Paths, func(p v1alpha1.PathMatch) bool { return onPath(r.Path, p) }))
}
