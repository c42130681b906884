// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Callers of a headless Service get the addresses of its pods and choose one by
// themselves (KEP-1645; Kubernetes' DNS specification). That a Service is
// headless is observed: what cannot be done about it is pending.

// unanswered says that callers find nobody under the names of the set: other
// clusters' pods have no address in the cluster of the callers unless somebody
// writes EndpointSlices there.
func (b *builder) unanswered(out *Service, at consumer) {
	if !out.Import.Declare {
		return
	}
	b.pending(at.cluster, out.Fragment, "Service %s is headless: nothing copies the addresses of its pods to %s, and its name under %s answers nothing there",
		at.service.Key(), at.cluster.Name, at.service.Set.Domain)
}

// headlessMesh: a sidecar sends what it routes elsewhere, and leaves alone what
// goes to a pod of its own cluster that the caller chose. So no part of the
// requests can be kept for some of these pods, or passed on from them.
func (b *builder) headlessMesh(out *Service, at consumer) {
	s, c, in := at.service, at.cluster, out.Import
	if in.Names.ClusterSet {
		b.unanswered(out, at)
	}
	svc, there := c.Facts.Service(s.Namespace, s.Name)
	switch {
	case !there:
		return // the stub has an address
	case !svc.Headless:
		return // callers here get one address all the same
	case len(svc.Workloads) == 0:
		b.pending(c, out.Fragment, "Service %s is headless and has no pods in %s: its name under cluster.local answers nothing there", s.Key(), c.Name)
	}
	for i, r := range in.Rules {
		shares := func(chain Chain) bool {
			if !chain.Head.Local {
				return chain.Head.Member // its pods are of the same Service
			}
			return len(chain.Tiers) > 0 || len(chain.Head.Labels) > 0 || r.SessionAffinity != nil
		}
		if slices.ContainsFunc(r.Chains(), shares) {
			in.Routed = false
			b.pending(c, out.Fragment, "Service %s is headless: callers in %s choose its pods there by themselves, so that rule %q (%s) can send them to other clusters or leave them alone, but not share",
				s.Key(), c.Name, r.Label, at.policy.At(at.policy.Rules[i].Path))
		}
	}
}

// headlessCilium: Cilium copies the addresses of a global Service's pods to the
// other clusters, for callers to choose among all of them.
func (b *builder) headlessCilium(out *Service, at consumer) {
	s, c, in := at.service, at.cluster, out.Import
	if rules := in.Rules; len(rules) > 0 && len(rules[len(rules)-1].Tiers) > 1 {
		in.Routed = false
		b.pending(c, out.Fragment, "Service %s is headless: callers in %s choose among the pods of all clusters by themselves, and no cluster goes first", s.Key(), c.Name)
	}
	if support := rowOf(Headless).Of(v1alpha1.ProviderCilium); older(c.Facts.Cilium, support.Since) {
		in.Routed = false
		b.pending(c, out.Fragment, "%s %s in %s %s before %s %s", providerNames[v1alpha1.ProviderCilium], c.Facts.Cilium, c.Name, support.Before,
			providerNames[v1alpha1.ProviderCilium], support.Since)
	}
}
