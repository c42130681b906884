// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// consumer is a cluster in which a policy governs the callers of a service.
type consumer struct {
	service *fleet.Service
	policy  *fleet.Policy
	cluster *fleet.Cluster
}

// consume plans how the callers in a cluster reach the service.
func (b *builder) consume(out *Service, at consumer, portsKnown bool) {
	s, p, c := at.service, at.policy, at.cluster
	in := &Import{Declare: c.Discovery == v1alpha1.DiscoveryFairlead && len(s.Exporters) > 0 && len(s.Ports) > 0, Virtual: s.Virtual,
		Virtual6: s.Virtual6, Names: Names{Cluster: p.Names.Cluster, ClusterSet: p.Names.ClusterSet},
		MinHealthy: p.MinHealthy, FailbackDelay: p.FailbackDelay, Resilience: p.Resilience, LoadBalancing: p.LoadBalancing,
		HealthCheck: s.HealthCheck, TLS: p.TLS, Routed: portsKnown, Ports: out.Ports}
	out.Import = in
	if c.IPv6Only() {
		b.sixOnly(out, at)
	}
	// At the end it is known whether the callers are routed at all.
	defer func() {
		if in.Routed {
			b.traffic(at, in.Rules)
		}
	}()
	for _, r := range p.Rules {
		in.Rules = append(in.Rules, plainRule(s, r, c))
	}
	provider, wanted := v1alpha1.Provider(c.EastWest), needs(s, p, in.Rules)
	if provider == v1alpha1.ProviderCilium {
		wanted = append(wanted, ciliumNeeds(at, in.Rules)...)
	}
	if oneOfSeveral(c) {
		for i := range in.Rules {
			in.Rules[i].Strangers = plainStrangers(s, c)
		}
		wanted = append(sharedNeeds(wanted, in.Rules), keptNear(s, in.Rules)...)
	}
	refused := append(refusals(p, provider, wanted), portRefusals(s, provider)...)
	able := b.settle(s, p, c, refused)
	if len(s.Exporters) > 0 && !slices.ContainsFunc(in.Rules, func(r Rule) bool { return r.count() > 0 || r.Answers() }) {
		able = false
		b.pending(c, out.Fragment, "%s reaches none of the clusters that export Service %s (%s)", c.Name, s.Key(), exporterNames(s))
	}
	if c.EastWest == v1alpha1.EastWestFairlead {
		in.Names.Cluster = false
		// Tunnels carry addresses, and pods have no identities to wait for. With
		// ports from the policy a missing name only keeps endpoints from being
		// found, so the rest goes ahead.
		in.Routed = able && in.Virtual.IsValid() && len(s.Ports) > 0 && len(s.Exporters) > 0 && !s.Headless
		if s.Headless {
			b.unanswered(out, at)
		}
		return
	}
	in.Routed = in.Routed && able
	b.old(out, at, wanted)
	switch c.EastWest {
	case v1alpha1.EastWestIstio:
		b.mesh(out, at)
	case v1alpha1.EastWestCilium:
		b.cilium(out, at)
	}
}

// sixOnly takes away the IPv4 address of a service where pods could not call it,
// and says what is lacking where it has no other.
func (b *builder) sixOnly(out *Service, at consumer) {
	in := out.Import
	in.Virtual = netip.Addr{}
	if in.Virtual6.IsValid() || !in.Declare || at.service.Headless {
		return
	}
	in.Declare = false
	b.pending(at.cluster, out.Fragment, "Service %s has no clusterset IP for the pods of %s, which have IPv6 alone: that needs addresses.clustersetIPv6, and IPv6 in the podCIDRs of every cluster that takes part",
		at.service.Key(), at.cluster.Name)
}

// mesh adds what a mesh must know.
func (b *builder) mesh(out *Service, at consumer) {
	s, c, in := at.service, at.cluster, out.Import
	b.meshPorts(out, at)
	b.declared(out, at)
	for i, r := range in.Rules {
		for t, tier := range r.Tiers {
			for j := range tier {
				b.identify(&in.Rules[i].Tiers[t][j], out, at)
			}
		}
		if r.Copy != nil {
			b.identify(in.Rules[i].Copy, out, at)
		}
		b.indistinct(out, at, i)
	}
	if oneOfSeveral(c) {
		b.strangers(out, at)
	}
	_, there := c.Facts.Service(s.Namespace, s.Name)
	if c.Facts.State == fleet.Unreachable {
		b.hold(c, out.Fragment, c, "whether Service "+s.Key()+" exists there")
	} else if c.Facts.State == fleet.Observed {
		in.Stub = !there
		for _, ns := range c.Facts.Namespaces {
			if ns != c.Mesh.RootNamespace && !strings.HasPrefix(ns, "kube-") {
				in.Namespaces = append(in.Namespaces, ns)
			}
		}
		slices.Sort(in.Namespaces)
	} else if !s.ExportedBy(c) {
		b.pending(c, out.Fragment, "whether %s has Service %s is not known: without one, callers there cannot resolve its name", c.Name, s.Key())
	}
	for _, p := range s.PortsOf(c) {
		governed := slices.ContainsFunc(s.Ports, func(q fleet.Port) bool { return q.Number == p.Number })
		if p.L7() && !governed {
			in.OtherPorts = append(in.OtherPorts, Port{Name: p.Name, Number: p.Number, Protocol: p.Protocol, Transport: p.Transport()})
		}
	}
	if s.Headless {
		b.headlessMesh(out, at)
	}
	b.otherStreams(out, at)
	unnamed := slices.ContainsFunc(in.Ports, func(p Port) bool { return p.Name == "" })
	if in.Routed && unnamed && slices.ContainsFunc(in.Rules, fallsBackFromHome) {
		in.Routed = false
		b.pending(c, out.Fragment, "the port of Service %s has no name: Istio cannot add fallbacks to it before it has one", s.Key())
	}
}

// otherStreams says which connections are not routed: those to another service
// in another cluster.
func (b *builder) otherStreams(out *Service, at consumer) {
	far := func(r Rule) bool {
		return slices.ContainsFunc(slices.Concat(r.Tiers...), func(o Backend) bool { return !o.Own() && !o.Local })
	}
	for _, p := range out.Import.Ports {
		if !p.L7() && slices.ContainsFunc(out.Import.Rules, far) {
			b.pending(at.cluster, out.Fragment, "port %d of Service %s is %s: its connections are not routed to another service in another cluster", p.Number, at.service.Key(), p.Protocol)
		}
	}
}

func fallsBackFromHome(r Rule) bool {
	return slices.ContainsFunc(r.Chains(), func(c Chain) bool { return c.Head.Local && len(c.Tiers) > 0 })
}

// meshPorts leaves out observed ports that a mesh does not carry, and says so.
// Who may call them is the exporter's to say all the same.
func (b *builder) meshPorts(out *Service, at consumer) {
	s, c := at.service, at.cluster
	l7 := slices.ContainsFunc(at.policy.Rules, func(r fleet.Rule) bool {
		return len(r.Matches) > 0 || r.Timeout != "" && !r.DefaultTimeout || r.Retries != nil && !r.DefaultRetries
	})
	out.Import.Ports = slices.DeleteFunc(slices.Clone(out.Ports), func(p Port) bool {
		support := rowOf(protocolFeatures[p.Protocol]).Istio
		refused, name := support.Refusal != "", support.Degradation
		if refused {
			b.pending(c, out.Fragment, "port %d of Service %s is %s, which Istio does not route: list the other ports in spec.service.ports", p.Number, s.Key(), p.Protocol)
		} else if name != "" && !accepts(at.policy, name, v1alpha1.ProviderIstio) {
			refused = true
			b.pending(c, out.Fragment, "port %d of Service %s is %s, of which provider istio does less than the policy means: add {name: %s, provider: istio} to spec.acceptDegradations, or list the other ports in spec.service.ports",
				p.Number, s.Key(), p.Protocol, name)
		} else if l7 && !p.L7() {
			b.pending(c, out.Fragment, "port %d of Service %s is %s: matches, timeouts and retries do not apply to it", p.Number, s.Key(), p.Protocol)
		}
		return refused
	})
	if len(out.Import.Ports) == 0 {
		out.Import.Routed = false
	}
}

// identify finds the identities of a backend's pods. A remote one whose pods
// cannot be told from others is Absent; without the consumer's own, nothing is
// routed, because whatever is guessed would break what works now.
func (b *builder) identify(backend *Backend, out *Service, at consumer) {
	if backend.Lost {
		return
	}
	s, home := at.service, at.cluster
	c := s.Set.Cluster(backend.Cluster)
	namespace, name := cmp.Or(backend.Namespace, s.Namespace), cmp.Or(backend.Service, s.Name)
	key := namespace + "/" + name
	svc, there := c.Facts.Service(namespace, name)
	pods := slices.DeleteFunc(slices.Clone(svc.Workloads), func(w inventory.Workload) bool { return !subsetOf(backend.Labels, w.Labels) })
	bare := slices.IndexFunc(pods, func(w inventory.Workload) bool { return !w.Sidecar })
	why := ""
	switch {
	case c.Facts.State == fleet.Unreachable:
		b.hold(home, out.Fragment, c, "the service accounts of Service "+key)
		why = "unreachable"
	case c.Facts.State == fleet.Unknown:
		why = fmt.Sprintf("%s was not observed yet", c.Name)
	case !there:
		why = fmt.Sprintf("Service %s does not exist in %s yet", key, c.Name)
	case bare >= 0:
		why = fmt.Sprintf("pods that run as %s in %s have no sidecar", pods[bare].ServiceAccount, c.Name)
	case !backend.Near && backend.Gateway == nil && !(home.Tunnelled(c) && backend.Address.IsValid()):
		why = fmt.Sprintf("%s has no east-west gateway", c.Name)
	case !backend.Near && backend.Gateway == nil && svc.Headless:
		why = fmt.Sprintf("%s has no east-west gateway, and a headless Service has no export address", c.Name)
	case !backend.Near && backend.Gateway == nil && len(backend.Labels) > 0:
		why = fmt.Sprintf("%s has no east-west gateway, and an export address stands for every pod of the Service", c.Name)
	case len(pods) == 0 && !(backend.Local && len(svc.Selector) == 0 && at.policy.TLS == v1alpha1.TLSDisable):
		// Pods that nothing selects, as those of the API server, are never known.
		why = fmt.Sprintf("no pods of %s are known", backend.Name())
	}
	for _, w := range pods {
		backend.Identities = append(backend.Identities, fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", c.Mesh.TrustDomain, namespace, w.ServiceAccount))
	}
	slices.Sort(backend.Identities)
	backend.Identities = slices.Compact(backend.Identities)
	// At home pods that are not known yet are only kept out until they are: the
	// chain below them is needed now.
	backend.Absent = why != "" && !(backend.Local && backend.Own() && there && len(pods) == 0)
	if backend.Local && backend.Own() && (c.Facts.State != fleet.Observed || bare >= 0) {
		out.Import.Routed = false
	}
	if why != "" && c.Facts.State != fleet.Unreachable {
		b.pending(home, out.Fragment, "identities of Service %s in %s: %s", key, backend.Name(), why)
	}
}

// indistinct says which pods of the consumer's own cluster do not take the share
// of others.
func (b *builder) indistinct(out *Service, at consumer, rule int) {
	r := out.Import.Rules[rule]
	for _, c := range r.Chains() {
		for _, o := range slices.Concat(c.Tiers...) {
			if !c.Head.Member && o.indistinct() {
				b.pending(at.cluster, out.Fragment, "rule %q (%s): %s takes nothing of what %s cannot keep: %s has no east-west gateway, and an export address stands for every pod of the Service",
					r.Label, at.policy.At(at.policy.Rules[rule].Path), o.Name(), c.Head.Name(), o.Cluster)
			}
		}
	}
}

// traffic notes what the callers in a cluster get while everything is healthy.
func (b *builder) traffic(at consumer, rules []Rule) {
	p := b.plans[at.cluster]
	for _, r := range rules {
		for t, tier := range r.Tiers {
			permille := shares(tier)
			for i, backend := range tier {
				if backend.Lost {
					continue
				}
				p.Traffic = append(p.Traffic, Share{Fragment: Fragment(at.policy), Service: at.service.Key(), Rule: r.Label, Backend: backend.Name(), Tier: int32(t), Permille: permille[i]})
			}
		}
	}
}
