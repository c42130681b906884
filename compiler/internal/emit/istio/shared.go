// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// clusterLabel is the cluster that a proxy or an endpoint is in; istiod itself
// writes it on both.
const clusterLabel = "topology.istio.io/cluster"

// sharer gathers the objects of one policy where one istiod configures several
// clusters. It knows the pods of all of them, under the Service's own host, and
// reaches those of other networks through their gateways by itself. What is
// left to say is whose callers get which of them.
type sharer struct {
	*emitter
	// works of the policy, by cluster.
	works   []work
	subsets map[string]*v1alpha3.Subset
}

// shared returns the objects of a mesh of several clusters.
func shared(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	all := works(p.Mesh)
	slices.SortStableFunc(all, func(a, b work) int {
		return cmp.Or(cmp.Compare(a.service.Fragment, b.service.Fragment), cmp.Compare(a.service.Cluster, b.service.Cluster))
	})
	for len(all) > 0 {
		first := all[0].service
		n := slices.IndexFunc(all, func(w work) bool { return w.service.Fragment != first.Fragment })
		if n < 0 {
			n = len(all)
		}
		s := &sharer{emitter: &emitter{store: p.Store, domain: p.Domain, root: p.Mesh.RootNamespace, service: first, networks: true},
			works: all[:n], subsets: map[string]*v1alpha3.Subset{}}
		all = all[n:]
		s.imports()
		s.gatewayRoutes()
		s.outside()
		s.strangers()
		s.rule()
		s.exports()
		out = append(out, manifest.Fragment{ID: first.Fragment, Objects: s.objects})
	}
	return out
}

// imports emits the routes of every cluster's callers, told apart by where they
// are.
func (s *sharer) imports() {
	out := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: s.meta(mainName)}
	var names plan.Names
	for _, w := range s.works {
		in := w.service.Import
		if !w.mesh || !in.Routed {
			continue
		}
		s.service.Import = in
		from := map[string]string{clusterLabel: w.service.Cluster}
		var own v1alpha3.VirtualService
		routed := false
		for _, port := range in.Ports {
			routed = s.portRoutes(&own, w, port, from) || routed
		}
		if !routed {
			continue
		}
		names.Cluster, names.ClusterSet = names.Cluster || in.Names.Cluster, names.ClusterSet || in.Names.ClusterSet
		out.Spec.Http, out.Spec.Tcp, out.Spec.Tls = append(out.Spec.Http, own.Http...), append(out.Spec.Tcp, own.Tcp...), append(out.Spec.Tls, own.Tls...)
		for _, port := range in.OtherPorts {
			out.Spec.Http = append(out.Spec.Http, &v1alpha3.HTTPRoute{
				Match: []*v1alpha3.HTTPMatchRequest{{Port: uint32(port.Number), SourceLabels: from}},
				Route: []*v1alpha3.HTTPRouteDestination{{Destination: destination(s.ownHost(), "", port)}}})
		}
	}
	if len(out.Spec.Http)+len(out.Spec.Tcp) == 0 {
		return
	}
	if names.Cluster {
		out.Spec.Hosts = append(out.Spec.Hosts, s.ownHost())
	}
	if names.ClusterSet {
		out.Spec.Hosts = append(out.Spec.Hosts, s.clusterSetHost())
		s.clusterSetEntry()
	}
	for _, t := range out.Spec.Tls {
		t.Match[0].SniHosts = out.Spec.Hosts
	}
	s.add(out)
}

// portRoutes are the routes of one cluster's callers to one port. It tells whether
// anything is decided for them yet.
func (s *sharer) portRoutes(out *v1alpha3.VirtualService, w work, port plan.Port, from map[string]string) bool {
	in := w.service.Import
	if !port.L7() {
		r := in.Rules[len(in.Rules)-1]
		to := s.targets(w, port, r)
		s.streams(out, stream{port, r, to, from})
		return len(to.all) > 0
	}
	routed := false
	for _, r := range in.Rules {
		to := s.targets(w, port, r)
		routed = routed || len(to.all) > 0 || r.Answers()
		out.Http = append(out.Http, httpRoutes(scope{uint32(port.Number), from}, r, to)...)
	}
	return routed
}

// targets returns where a rule sends what it matches, weighted.
func (s *sharer) targets(w work, port plan.Port, r plan.Rule) targets {
	var out targets
	for _, c := range r.Chains() {
		if !alive(c) {
			continue
		}
		// Who takes the place of a head has that one's share.
		weight := int32(c.Head.Weight)
		if c = c.Uniform(); !c.Head.Lost {
			if to, ok := s.portOf(c.Head, port); ok {
				at := placed{Chain: c, port: to, affinity: r.SessionAffinity}
				out.all = append(out.all, target{s.target(w, at), weight})
			}
		}
	}
	if c := r.Copy; c != nil && !c.Absent {
		if to, ok := s.portOf(*c, port); ok {
			out.mirror = s.target(w, placed{Chain: plan.Chain{Head: *c}, port: to})
		}
	}
	return out.only()
}

// target makes a subset for a chain of one cluster's callers. What is in a
// cluster of another istiod is reached as from anywhere else.
func (s *sharer) target(w work, at placed) *v1alpha3.Destination {
	if !at.Head.Member {
		h, subset := s.place(at.port, at.Chain, at.affinity)
		return destination(h.name, subset, at.port)
	}
	name := subsetPrefix + digest(fmt.Sprintf("%s/%s|%d|%s|%s|%s", s.service.Namespace, s.service.Name, at.port.Number, w.service.Cluster, at.ID(), affinityID(at.affinity)))
	if s.subsets[name] == nil {
		at.subset = name
		s.subsets[name] = sharedSubset(w.service.Import, at)
	}
	return destination(s.ownHost(), name, at.port)
}

// outside emits the hosts of clusters that have another istiod, for the callers of
// all clusters.
func (s *sharer) outside() {
	if len(s.parts) == 0 {
		return
	}
	in := *s.service.Import
	in.Namespaces = nil
	for _, w := range s.works {
		if w.service.Import != nil {
			in.Namespaces = append(in.Namespaces, w.service.Import.Namespaces...)
		}
		s.routes = append(s.routes, w.routes...)
	}
	slices.Sort(in.Namespaces)
	in.Namespaces = slices.Compact(in.Namespaces)
	s.service.Import = &in
	s.hosts()
}

// sharedSubset chooses the pods of a chain. Those of one cluster are chosen by
// it; where others stand below it, the head's cluster goes first.
func sharedSubset(in *plan.Import, c placed) *v1alpha3.Subset {
	out := &v1alpha3.Subset{Name: c.subset, Labels: maps.Clone(c.Head.Labels)}
	p := podsPolicy(in, c.affinity)
	if p == nil {
		p = &v1alpha3.TrafficPolicy{}
	}
	if ids := identities(c.Chain); in.TLS != v1alpha1.TLSDisable && len(ids) > 0 {
		// Left alone, istiod would also accept the names of its default trust
		// domain.
		p.Tls = &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL, SubjectAltNames: ids}
	}
	if len(c.Tiers) == 0 {
		if out.Labels == nil {
			out.Labels = map[string]string{}
		}
		out.Labels[clusterLabel] = c.Head.Cluster
		out.TrafficPolicy = p
		return out
	}
	p.OutlierDetection = podOutlier(in.Resilience.OutlierDetection, true)
	if p.LoadBalancer == nil {
		p.LoadBalancer = &v1alpha3.LoadBalancerSettings{}
	}
	p.LoadBalancer.LocalityLbSetting = &v1alpha3.LocalityLoadBalancerSetting{Enabled: wrapperspb.Bool(true),
		FailoverPriority: []string{clusterLabel + "=" + c.Head.Cluster}}
	out.TrafficPolicy = p
	return out
}

// rule emits the subsets, and what the policy says of the governed ports for
// those that name none.
func (s *sharer) rule() {
	out := &networking.DestinationRule{TypeMeta: kind("DestinationRule"), ObjectMeta: s.meta(mainName)}
	out.Spec.Host = s.ownHost()
	if s.service.Import != nil && len(s.ports()) > 0 {
		out.Spec.TrafficPolicy = s.podsOnly()
	}
	for _, name := range slices.Sorted(maps.Keys(s.subsets)) {
		out.Spec.Subsets = append(out.Spec.Subsets, s.subsets[name])
	}
	if len(out.Spec.Subsets) > 0 || out.Spec.TrafficPolicy != nil {
		s.add(out)
	}
}

// exports emits, once, what lets callers of other networks in and who may call.
func (s *sharer) exports() {
	done := map[string]bool{}
	for _, w := range s.works {
		x := w.service.Export
		if x == nil {
			continue
		}
		e := &emitter{store: w.service.Cluster, domain: s.domain, service: w.service}
		if g := x.Gateway; g != nil && !x.ClearText {
			// Gateways of several clusters may have the same labels: those of a
			// cluster that does not export would let callers in all the same.
			own := *g
			own.Selector = maps.Clone(g.Selector)
			own.Selector[clusterLabel] = w.service.Cluster
			e.eastWest(mainName+"-"+w.service.Cluster, &own)
		}
		e.access()
		e.mutual()
		for _, o := range e.objects {
			if ref := o.Ref().String(); !done[ref] {
				done[ref] = true
				s.objects = append(s.objects, o)
			}
		}
	}
}

// gatewayRoutes emits what gateways do with requests from outside. A Gateway of
// that name is one in the whole mesh: routes cannot tell its clusters apart, so
// that the first has its way.
func (s *sharer) gatewayRoutes() {
	done := map[string]bool{}
	for _, w := range s.works {
		for _, r := range w.routes {
			if done[gatewayRouteName(r)] {
				continue
			}
			done[gatewayRouteName(r)] = true
			s.service.Import = r.Import
			out := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: s.meta(gatewayRouteName(r))}
			out.Spec.Gateways = []string{r.Gateway.Namespace + "/" + r.Gateway.Name}
			for _, h := range r.Hostnames {
				out.Spec.Hosts = append(out.Spec.Hosts, string(h))
			}
			from := work{service: w.service}
			from.service.Import = r.Import
			port, requests := requestPort(r)
			for i, rule := range r.Import.Rules {
				if requests {
					out.Spec.Http = append(out.Spec.Http, httpRoutes(scope{}, rule, s.targets(from, port, rule))...)
				} else if len(r.Ports) > 0 && i == len(r.Import.Rules)-1 {
					gatewayStream(&out.Spec, r.Ports[0], s.targets(from, r.Ports[0], rule))
				}
			}
			if len(out.Spec.Http)+len(out.Spec.Tcp)+len(out.Spec.Tls) > 0 {
				s.add(out)
			}
		}
	}
}

// member emits what a cluster itself needs whose istiod is elsewhere: names that
// its callers can resolve, and the network of its gateway.
func member(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	if n := p.SharedNetwork; n != nil {
		labels := map[string]string{"topology.istio.io/network": n.Network}
		if n.Port != defaultGatewayPort {
			labels["networking.istio.io/gatewayPort"] = fmt.Sprint(n.Port)
		}
		ref := manifest.Ref{APIVersion: "v1", Kind: "Service", Namespace: n.Namespace, Name: n.Service}
		out = append(out, manifest.Fragment{ID: n.Fragment, Claims: []manifest.Claim{manifest.MustClaim(ref, labels, nil)}})
	}
	if p.Mesh != nil && len(p.Mesh.Members) == 1 {
		return out
	}
	for _, s := range p.Services {
		if s.EastWest != v1alpha1.EastWestIstio || s.Import == nil || !s.Import.Routed || !s.Import.Stub || !s.Import.Names.Cluster {
			continue
		}
		e := &emitter{store: p.Store, domain: p.Domain, service: s}
		e.stub()
		out = append(out, manifest.Fragment{ID: s.Fragment, Objects: e.objects})
	}
	return out
}

// defaultGatewayPort is the port of a network's gateway that istiod takes for
// granted.
const defaultGatewayPort = 15443
