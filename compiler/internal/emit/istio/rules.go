// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// partRule emits the DestinationRule of another cluster's part of the service.
func (e *emitter) partRule(h *host) {
	out := &networking.DestinationRule{TypeMeta: kind("DestinationRule"), ObjectMeta: e.meta(h.prefix)}
	out.Spec.Host = h.name
	// Without a subset nobody should get here; whoever does is held to the same
	// identities.
	out.Spec.TrafficPolicy = e.anySubset(h, gatewayOutlier())
	for _, c := range h.chains {
		out.Spec.Subsets = append(out.Spec.Subsets, &v1alpha3.Subset{Name: c.subset, Labels: c.labels,
			TrafficPolicy: e.policy(h, c, identities(c.Chain), gatewayOutlier())})
	}
	sortSubsets(out.Spec.Subsets)
	e.add(out)
}

// homeRule emits the DestinationRule of the Service's own host: the subsets
// that callers here use and those that callers elsewhere name.
func (e *emitter) homeRule() {
	out := &networking.DestinationRule{TypeMeta: kind("DestinationRule"), ObjectMeta: e.meta(mainName)}
	out.Spec.Host = e.ownHost()
	if h := e.home; h != nil {
		outlier := podOutlier(e.service.Import.Resilience.OutlierDetection, true)
		if h.depth > 0 {
			out.Spec.TrafficPolicy = e.anySubset(h, outlier)
		} else {
			out.Spec.TrafficPolicy = e.podsOnly()
		}
		for _, c := range h.chains {
			s := &v1alpha3.Subset{Name: c.subset, Labels: c.labels}
			switch {
			case len(c.Tiers) > 0:
				s.TrafficPolicy = e.policy(h, c, identities(c.Chain), outlier)
			case c.affinity != nil:
				s.TrafficPolicy = podsPolicy(e.service.Import, c.affinity)
			case len(c.labels) == 0:
				continue
			}
			out.Spec.Subsets = append(out.Spec.Subsets, s)
		}
	}
	for _, entry := range e.entries {
		out.Spec.Subsets = append(out.Spec.Subsets, &v1alpha3.Subset{Name: entry.subset, Labels: entry.labels, TrafficPolicy: entry.policy})
	}
	if len(out.Spec.Subsets) == 0 && out.Spec.TrafficPolicy == nil {
		return
	}
	sortSubsets(out.Spec.Subsets)
	e.add(out)
}

// podsOnly is the policy of the governed ports where there are no gateways
// below the pods; nil where it says nothing.
func (e *emitter) podsOnly() *v1alpha3.TrafficPolicy {
	p := podsPolicy(e.service.Import, nil)
	if p == nil {
		return nil
	}
	return perPort(e.ports(), func(plan.Port) *v1alpha3.TrafficPolicy { return p })
}

// perPort is a policy for the governed ports and no other.
func perPort(ports []plan.Port, of func(plan.Port) *v1alpha3.TrafficPolicy) *v1alpha3.TrafficPolicy {
	out := &v1alpha3.TrafficPolicy{}
	for _, port := range ports {
		p := of(port)
		out.PortLevelSettings = append(out.PortLevelSettings, &v1alpha3.TrafficPolicy_PortTrafficPolicy{
			Port: &v1alpha3.PortSelector{Number: uint32(port.Number)},
			Tls:  p.Tls, LoadBalancer: p.LoadBalancer, ConnectionPool: p.ConnectionPool, OutlierDetection: p.OutlierDetection})
	}
	return out
}

func sortSubsets(s []*v1alpha3.Subset) {
	slices.SortFunc(s, func(a, b *v1alpha3.Subset) int { return cmp.Compare(a.Name, b.Name) })
}

// anySubset is the policy of a host for those that name no subset, port by
// port.
func (e *emitter) anySubset(h *host, outlier *v1alpha3.OutlierDetection) *v1alpha3.TrafficPolicy {
	var all []string
	for _, c := range h.chains {
		all = append(all, identities(c.Chain)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return perPort(e.portsOf(h), func(p plan.Port) *v1alpha3.TrafficPolicy {
		return e.policy(h, placed{port: p}, all, outlier)
	})
}

// policy asks for a chain's subset by server name, accepts the given identities
// only, and lets istiod sort the endpoints into tiers.
func (e *emitter) policy(h *host, c placed, ids []string, outlier *v1alpha3.OutlierDetection) *v1alpha3.TrafficPolicy {
	in := e.service.Import
	out := &v1alpha3.TrafficPolicy{
		Tls:              &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL, Sni: e.sni(h, c.port, c.remote), SubjectAltNames: ids},
		OutlierDetection: outlier,
		ConnectionPool:   pool(in.Resilience),
		LoadBalancer:     balancer(in.LoadBalancing, c.affinity),
	}
	if e.clear(h) {
		out.Tls = podsTLS(in.TLS)
	}
	if h.depth > 0 {
		if out.LoadBalancer == nil {
			out.LoadBalancer = &v1alpha3.LoadBalancerSettings{}
		}
		out.LoadBalancer.LocalityLbSetting = &v1alpha3.LocalityLoadBalancerSetting{Enabled: wrapperspb.Bool(true), FailoverPriority: h.failoverPriority()}
	}
	return out
}

// clear tells whether what is sent to a host is in clear text: where the policy
// says so, and nobody there stands behind a gateway, which is asked by server name.
func (e *emitter) clear(h *host) bool {
	gated := func(c placed) bool {
		return slices.ContainsFunc(c.Members(), func(b plan.Backend) bool { return b.Gateway != nil })
	}
	return e.service.Import.TLS == v1alpha1.TLSDisable && !slices.ContainsFunc(h.chains, gated)
}

// identities of everyone in a chain whom something may be sent to.
func identities(c plan.Chain) []string {
	var out []string
	for _, b := range c.Members() {
		if !b.Absent {
			out = append(out, b.Identities...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
