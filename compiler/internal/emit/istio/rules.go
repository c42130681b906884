// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// Defaults of outlier detection, as the schema documents them.
const (
	defaultFailures = 5
	defaultInterval = v1alpha1.Duration("10s")
	defaultEjection = v1alpha1.Duration("30s")
	defaultMaximum  = 50
)

// partRule emits the DestinationRule of another cluster's part of the service.
func (e *emitter) partRule(h *host) {
	out := &networking.DestinationRule{TypeMeta: kind("DestinationRule"), ObjectMeta: e.meta(h.prefix)}
	out.Spec.Host = h.name
	// Without a subset nobody should get here; whoever does is held to the same
	// identities.
	out.Spec.TrafficPolicy = e.anySubset(h, gatewayOutlier())
	for _, c := range h.chains {
		out.Spec.Subsets = append(out.Spec.Subsets, &v1alpha3.Subset{Name: c.subset, Labels: selector(c.Chain),
			TrafficPolicy: e.policy(h, aim{c.port, c.subset, identities(c.Chain)}, gatewayOutlier())})
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
		mixed := h.depth > 0
		switch {
		case mixed:
			out.Spec.TrafficPolicy = e.anySubset(h, podOutlier(e.service.Import.Resilience.OutlierDetection, true))
		case e.service.Import.Resilience.OutlierDetection != nil:
			out.Spec.TrafficPolicy = e.podsOnly()
		}
		for _, c := range h.chains {
			s := &v1alpha3.Subset{Name: c.subset, Labels: c.Head.Labels}
			if len(c.Tiers) > 0 {
				s.TrafficPolicy = e.policy(h, aim{c.port, c.subset, identities(c.Chain)}, podOutlier(e.service.Import.Resilience.OutlierDetection, true))
			} else if len(c.Head.Labels) == 0 {
				continue
			}
			out.Spec.Subsets = append(out.Spec.Subsets, s)
		}
	}
	for _, entry := range e.entries {
		out.Spec.Subsets = append(out.Spec.Subsets, &v1alpha3.Subset{Name: entry.subset, Labels: entry.labels})
	}
	if len(out.Spec.Subsets) == 0 && out.Spec.TrafficPolicy == nil {
		return
	}
	sortSubsets(out.Spec.Subsets)
	e.add(out)
}

// podsOnly is the outlier detection of the governed ports where there are no
// gateways below the pods. TLS stays as the mesh has it.
func (e *emitter) podsOnly() *v1alpha3.TrafficPolicy {
	out := &v1alpha3.TrafficPolicy{}
	for _, p := range e.service.Ports {
		out.PortLevelSettings = append(out.PortLevelSettings, &v1alpha3.TrafficPolicy_PortTrafficPolicy{
			Port: &v1alpha3.PortSelector{Number: uint32(p.Number)}, OutlierDetection: podOutlier(e.service.Import.Resilience.OutlierDetection, false)})
	}
	return out
}

func sortSubsets(s []*v1alpha3.Subset) {
	slices.SortFunc(s, func(a, b *v1alpha3.Subset) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
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
	out := &v1alpha3.TrafficPolicy{}
	for _, p := range e.service.Ports {
		t := e.policy(h, aim{p, "", all}, outlier)
		out.PortLevelSettings = append(out.PortLevelSettings, &v1alpha3.TrafficPolicy_PortTrafficPolicy{
			Port: &v1alpha3.PortSelector{Number: uint32(p.Number)}, Tls: t.Tls, LoadBalancer: t.LoadBalancer, OutlierDetection: t.OutlierDetection})
	}
	return out
}

// aim says which pods are meant: those of a subset, or of none where it is
// empty, and who they may be.
type aim struct {
	port   plan.Port
	subset string
	ids    []string
}

// policy asks for a subset by server name, accepts the given identities only,
// and lets istiod sort the endpoints into tiers.
func (e *emitter) policy(h *host, a aim, outlier *v1alpha3.OutlierDetection) *v1alpha3.TrafficPolicy {
	out := &v1alpha3.TrafficPolicy{
		Tls:              &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL, Sni: e.sni(a.port, a.subset), SubjectAltNames: a.ids},
		OutlierDetection: outlier,
	}
	if h.depth > 0 {
		out.LoadBalancer = &v1alpha3.LoadBalancerSettings{LocalityLbSetting: &v1alpha3.LocalityLoadBalancerSetting{
			Enabled: wrapperspb.Bool(true), FailoverPriority: h.failoverPriority()}}
	}
	return out
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

// gatewayOutlier ejects gateways that take no connections, and nothing else:
// what pods behind them answer says nothing about the gateway. All may be
// ejected, so that the next tier takes over.
func gatewayOutlier() *v1alpha3.OutlierDetection {
	return &v1alpha3.OutlierDetection{
		SplitExternalLocalOriginErrors: true,
		ConsecutiveLocalOriginFailures: wrapperspb.UInt32(defaultFailures),
		Consecutive_5XxErrors:          wrapperspb.UInt32(0),
		ConsecutiveGatewayErrors:       wrapperspb.UInt32(0),
		Interval:                       duration(defaultInterval),
		BaseEjectionTime:               duration(defaultEjection),
		MaxEjectionPercent:             100,
	}
}

// podOutlier is what the policy says about pods. Where gateways stand below
// them and the policy is silent, all may be ejected. MinHealthPercent stays
// unset: istiod would leave out pods that are not ready, and overflow with
// them.
func podOutlier(o *v1alpha1.OutlierDetection, mixed bool) *v1alpha3.OutlierDetection {
	given := v1alpha1.OutlierDetection{}
	if o != nil {
		given = *o
	}
	out := &v1alpha3.OutlierDetection{
		Consecutive_5XxErrors: wrapperspb.UInt32(defaultFailures),
		Interval:              duration(defaultInterval),
		BaseEjectionTime:      duration(defaultEjection),
		MaxEjectionPercent:    defaultMaximum,
	}
	if given.Consecutive5xx > 0 {
		out.Consecutive_5XxErrors = wrapperspb.UInt32(uint32(given.Consecutive5xx))
	}
	if given.Interval != "" {
		out.Interval = duration(given.Interval)
	}
	if given.BaseEjectionTime != "" {
		out.BaseEjectionTime = duration(given.BaseEjectionTime)
	}
	if given.MaxEjectionPercent > 0 {
		out.MaxEjectionPercent = given.MaxEjectionPercent
	} else if mixed {
		out.MaxEjectionPercent = 100
	}
	if mixed {
		out.SplitExternalLocalOriginErrors = true
		out.ConsecutiveLocalOriginFailures = wrapperspb.UInt32(defaultFailures)
	}
	return out
}

// duration converts a length of time; nil where none is given. What cannot be
// read was reported where its document was read.
func duration(d v1alpha1.Duration) *durationpb.Duration {
	v, err := d.Parse()
	if err != nil || d == "" {
		return nil
	}
	return durationpb.New(v)
}
