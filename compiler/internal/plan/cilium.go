// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// ciliumNeeds is what a consumer needs of Cilium beside what every provider is
// asked for.
func ciliumNeeds(at consumer, rules []Rule) []need {
	s, p, c := at.service, at.policy, at.cluster
	out := shapeNeeds(s, rules)
	// A Service that is shared is global, and the callers of a global one get
	// the pods of all clusters.
	var outside []string
	for _, e := range s.Exporters {
		consumes := func(p *fleet.Policy) bool { return slices.Contains(p.Consumers, e) }
		if e.EastWest == v1alpha1.EastWestCilium && !slices.ContainsFunc(s.Policies, consumes) {
			outside = append(outside, e.Name)
		}
	}
	if len(outside) > 0 && len(s.Exporters) > 1 {
		out = append(out, need{feature: ExporterCalls, path: "spec.imports", detail: strings.Join(outside, ", ") + " exports it and does not import it"})
	}
	if !p.Names.ClusterSet {
		return out
	}
	if c.Discovery != v1alpha1.DiscoveryExisting {
		if p.Names.Asked {
			out = append(out, need{feature: ClusterSetNames, path: "spec.service.names", detail: c.Name + " has discovery fairlead"})
		}
		return out
	}
	for _, r := range rules {
		if len(r.Tiers) > 1 {
			out = append(out, need{feature: ClusterSetTiers, path: r.Tiers[1][0].path})
		}
	}
	return out
}

// cilium adds what Cilium must know of callers.
func (b *builder) cilium(out *Service, at consumer) {
	s, c, in := at.service, at.cluster, out.Import
	if c.Discovery != v1alpha1.DiscoveryExisting {
		// Nothing would answer at the clusterset IP.
		in.Declare, in.Names.ClusterSet = false, false
	}
	in.Exported = s.ExportedBy(c)
	if s.Headless {
		b.headlessCilium(out, at)
	}
	svc, there := c.Facts.Service(s.Namespace, s.Name)
	switch {
	case c.Facts.State == fleet.Unreachable:
		b.hold(c, out.Fragment, c, "whether Service "+s.Key()+" exists there")
	case c.Facts.State == fleet.Observed && !there:
		in.Stub = !in.Exported
	case there && svc.ExternalName:
		in.Routed = false
		b.pending(c, out.Fragment, "Service %s in %s is an ExternalName: nothing can be added to it", s.Key(), c.Name)
	case there && !in.Exported && len(svc.Workloads) > 0:
		in.Routed = false
		b.pending(c, out.Fragment, "Service %s in %s has pods there and is not exported: Cilium would send connections to them too; export it from %s, or remove it",
			s.Key(), c.Name, c.Name)
	}
}

// networkPolicyKind is the kind of Cilium's policies, as the inventory writes it.
const networkPolicyKind = "CiliumNetworkPolicy.cilium.io"

// enforceable tells whether Cilium can be told who may call: which pods, and
// which of their ports. Until it can the Service is not shared.
func (b *builder) enforceable(out *Service, s *fleet.Service, c *fleet.Cluster) bool {
	support := rowOf(AccessCallers).Of(v1alpha1.ProviderCilium)
	if version := c.Facts.Cilium; older(version, support.Since) {
		b.pending(c, out.Fragment, "%s %s in %s %s before %s %s: the Service is not shared there", providerNames[v1alpha1.ProviderCilium], version, c.Name,
			support.Before, providerNames[v1alpha1.ProviderCilium], support.Since)
		return false
	}
	if c.Facts.State == fleet.Observed && !slices.Contains(c.Facts.Kinds, networkPolicyKind) {
		b.pending(c, out.Fragment, "%s does not serve %s: who may call cannot be enforced, and the Service is not shared before it can", c.Name, networkPolicyKind)
		return false
	}
	lacking := ""
	for _, p := range out.Ports {
		if p.Target == 0 {
			lacking = fmt.Sprintf("which port of the pods port %d of Service %s leads to", p.Number, s.Key())
		}
	}
	switch {
	case c.Facts.State == fleet.Unreachable:
		b.hold(c, out.Fragment, c, "the pods of Service "+s.Key())
		return false
	case len(out.Export.Selector) == 0:
		lacking = fmt.Sprintf("which pods Service %s has", s.Key())
	case len(out.Ports) == 0:
		lacking = fmt.Sprintf("the ports of Service %s", s.Key())
	}
	if lacking != "" {
		b.pending(c, out.Fragment, "%s in %s is not known: who may call cannot be enforced, and the Service is not shared before it can", lacking, c.Name)
	}
	return lacking == ""
}

// combinationNeeds finds a port on which too many sets of pods would have to be
// told apart.
func combinationNeeds(s *fleet.Service, a *fleet.Access) []need {
	plan := planAccess(s, a)
	ports := []int32{0}
	for _, r := range a.Allow {
		for _, p := range r.Ports {
			ports = append(ports, int32(p))
		}
	}
	for _, p := range ports {
		if _, ok := plan.Others(p); !ok {
			return []need{{feature: AccessCombinations, path: "spec.access.allow", detail: fmt.Sprintf("more than %d", MaxOthers)}}
		}
	}
	return nil
}
