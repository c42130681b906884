// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// imports emits what callers in this cluster need.
func (e *emitter) imports() {
	in := e.service.Import
	if in == nil || !in.Routed {
		return
	}
	vs := e.virtualService()
	if vs == nil {
		e.home, e.parts = nil, nil
		return
	}
	e.add(vs)
	if in.Names.ClusterSet {
		e.clusterSetEntry()
	}
	if in.Stub && in.Names.Cluster {
		e.stub()
	}
}

// hosts emits what the routes of the cluster point at.
func (e *emitter) hosts() {
	if e.home != nil && e.home.depth > 0 {
		e.serviceEntry(e.home)
	}
	for _, h := range e.parts {
		e.serviceEntry(h)
		e.partRule(h)
	}
}

// alive tells whether anything may be sent along a chain.
func alive(c plan.Chain) bool {
	return slices.ContainsFunc(c.Members(), func(b plan.Backend) bool { return !b.Absent })
}

// virtualService is nil where nothing can be routed yet.
func (e *emitter) virtualService() *networking.VirtualService {
	in := e.service.Import
	out := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: e.meta(mainName)}
	if in.Names.Cluster {
		out.Spec.Hosts = append(out.Spec.Hosts, e.ownHost())
	}
	if in.Names.ClusterSet {
		out.Spec.Hosts = append(out.Spec.Hosts, e.clusterSetHost())
	}
	routed := false
	for _, port := range e.ports() {
		if !port.L7() {
			// A connection has nothing to match: the last rule is its own.
			r := in.Rules[len(in.Rules)-1]
			to := e.destinations(port, r)
			routed = routed || len(to.all) > 0
			e.streams(&out.Spec, stream{port, r, to, nil})
			continue
		}
		for _, r := range in.Rules {
			to := e.destinations(port, r)
			routed = routed || len(to.all) > 0 || r.Answers()
			out.Spec.Http = append(out.Spec.Http, httpRoutes(scope{port: uint32(port.Number)}, r, to)...)
		}
	}
	for _, port := range in.OtherPorts {
		out.Spec.Http = append(out.Spec.Http, &v1alpha3.HTTPRoute{
			Match: []*v1alpha3.HTTPMatchRequest{{Port: uint32(port.Number)}},
			Route: []*v1alpha3.HTTPRouteDestination{{Destination: destination(e.ownHost(), "", port)}}})
	}
	if !routed {
		return nil
	}
	return out
}

// target is one destination of a route.
type target struct {
	*v1alpha3.Destination
	weight int32
}

// targets are where requests go, and where copies of them do.
type targets struct {
	all    []target
	mirror *v1alpha3.Destination
}

// only drops the weight of a target that has no siblings: it needs none.
func (t targets) only() targets {
	if len(t.all) == 1 {
		t.all[0].weight = 0
	}
	return t
}

func destination(host, subset string, port plan.Port) *v1alpha3.Destination {
	return &v1alpha3.Destination{Host: host, Subset: subset, Port: &v1alpha3.PortSelector{Number: uint32(port.Number)}}
}

// destinations returns where a rule sends what it matches, weighted.
func (e *emitter) destinations(port plan.Port, r plan.Rule) targets {
	var out targets
	for _, c := range r.Chains() {
		if alive(c) && carried(c, port) {
			if to, ok := e.portOf(c.Head, port); ok {
				h, subset := e.place(to, c, r.SessionAffinity)
				out.all = append(out.all, target{destination(h.name, subset, to), int32(c.Head.Weight)})
			}
		}
	}
	if c := r.Copy; c != nil && !c.Absent {
		if to, ok := e.portOf(*c, port); ok {
			h, subset := e.place(to, plan.Chain{Head: *c}, nil)
			out.mirror = destination(h.name, subset, to)
		}
	}
	return out.only()
}

// carried tells whether what comes to a port is sent along a chain: connections
// to another service in another cluster are not.
func carried(c plan.Chain, port plan.Port) bool {
	return port.L7() || c.Head.Own() || c.Head.Local
}

// stream is where a rule sends the connections to a port, of the callers from
// somewhere.
type stream struct {
	port plan.Port
	rule plan.Rule
	to   targets
	from map[string]string
}

// noSubset is one that no DestinationRule has: what is sent there is refused.
const noSubset = subsetPrefix + "nobody"

// streams adds the routes of connections to a port. While there is nobody to send
// them to they are refused, as requests are; left alone they would go to whichever
// pods the Service has.
func (e *emitter) streams(out *v1alpha3.VirtualService, s stream) {
	chains := s.rule.Chains()
	if len(s.to.all) == 0 && len(chains) > 0 && !slices.ContainsFunc(chains, func(c plan.Chain) bool { return !carried(c, s.port) }) {
		s.to.all = []target{{destination(e.ownHost(), noSubset, s.port), 0}}
	}
	if len(s.to.all) > 0 {
		streamRoutes(out, s.port, s.to, s.from)
	}
}

// streamRoutes are the routes of connections to a port. istiod looks at tcp
// routes of ports that are declared as TCP alone, and at tls routes of those
// that are declared as TLS: which of the two the caller's own Service does is not
// always known. Where it declares nothing, what looks like requests has none but
// http routes.
func streamRoutes(out *v1alpha3.VirtualService, port plan.Port, to targets, from map[string]string) {
	route := tcpRoute(port, to)
	route.Match[0].SourceLabels = from
	out.Tcp = append(out.Tcp, route)
	if port.Sniffed {
		out.Http = append(out.Http, httpRoutes(scope{uint32(port.Number), from}, plan.Rule{}, to)...)
	}
	if port.Protocol == v1alpha1.ProtocolTLS {
		out.Tls = append(out.Tls, &v1alpha3.TLSRoute{Route: route.Route,
			Match: []*v1alpha3.TLSMatchAttributes{{Port: uint32(port.Number), SniHosts: out.Hosts, SourceLabels: from}}})
	}
}

func tcpRoute(port plan.Port, to targets) *v1alpha3.TCPRoute {
	out := &v1alpha3.TCPRoute{Match: []*v1alpha3.L4MatchAttributes{{Port: uint32(port.Number)}}}
	for _, t := range to.all {
		out.Route = append(out.Route, &v1alpha3.RouteDestination{Destination: t.Destination, Weight: t.weight})
	}
	return out
}

// httpRoutes are one route for a rule, or one for each match where the rule
// replaces the prefix that was matched.
func httpRoutes(s scope, r plan.Rule, to targets) []*v1alpha3.HTTPRoute {
	if r.Rewrite == nil || r.Rewrite.Path == nil || r.Rewrite.Path.Prefix == "" {
		return []*v1alpha3.HTTPRoute{httpRoute(r, to, when{matches: matches(s, r.Matches)})}
	}
	var out []*v1alpha3.HTTPRoute
	for _, m := range r.Matches {
		out = append(out, httpRoute(r, to, when{m.Path, matches(s, []v1alpha1.Match{m})}))
	}
	return out
}

// when says which requests a route is for, and the path that they all match
// where that matters.
type when struct {
	path    *v1alpha1.PathMatch
	matches []*v1alpha3.HTTPMatchRequest
}

// httpRoute refuses what it matches while there is nobody to send it to:
// falling through to the next rule would mean something else.
func httpRoute(r plan.Rule, to targets, w when) *v1alpha3.HTTPRoute {
	out := &v1alpha3.HTTPRoute{Name: r.Label, Match: w.matches}
	if len(to.all) == 0 && !r.Answers() {
		out.DirectResponse = &v1alpha3.HTTPDirectResponse{Status: 503}
		return out
	}
	act(out, r, w.path)
	for _, t := range to.all {
		out.Route = append(out.Route, &v1alpha3.HTTPRouteDestination{Destination: t.Destination, Weight: t.weight})
	}
	if to.mirror != nil {
		out.Mirror, out.MirrorPercentage = to.mirror, percent(r.Mirror.Percent)
	}
	return out
}

// clusterSetEntry makes the clusterset name known to the mesh. It has no
// endpoints of its own: every request to it is routed.
func (e *emitter) clusterSetEntry() {
	out := &networking.ServiceEntry{TypeMeta: kind("ServiceEntry"), ObjectMeta: e.meta(clusterSetName)}
	out.Spec.Hosts = []string{e.clusterSetHost()}
	for _, a := range []netip.Addr{e.service.Import.Virtual, e.service.Import.Virtual6} {
		if a.IsValid() {
			out.Spec.Addresses = append(out.Spec.Addresses, a.String())
		}
	}
	out.Spec.Ports = servicePorts(e.ports(), opaque)
	out.Spec.Location = v1alpha3.ServiceEntry_MESH_INTERNAL
	out.Spec.Resolution = v1alpha3.ServiceEntry_NONE
	e.add(out)
}

// stub emits a Service without a selector: callers resolve the name, the mesh
// does the rest.
func (e *emitter) stub() {
	out := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: e.service.Namespace, Name: e.service.Name}}
	for _, p := range e.ports() {
		port := corev1.ServicePort{Name: portName(p), Port: p.Number, TargetPort: intstr.FromInt32(p.Number), Protocol: corev1.Protocol(p.Transport)}
		if protocol, said := stubProtocol(p); said {
			port.AppProtocol = &protocol
		}
		out.Spec.Ports = append(out.Spec.Ports, port)
	}
	e.add(out)
}

// stubProtocol is the appProtocol of a port of the stub: whatever its name says,
// the mesh takes it for what the policy says.
func stubProtocol(p plan.Port) (string, bool) {
	as := plan.DeclaredTCP
	if p.L7() {
		as = plan.DeclaredHTTP
	}
	named := p
	named.Name = portName(p)
	if named.Declares() != as {
		return declared(p, opaque), true
	}
	return p.AppProtocol, p.AppProtocol != ""
}
