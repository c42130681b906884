// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"slices"
	"strings"

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
	e.clusterSetEntry()
	if e.home != nil && e.home.depth > 0 {
		e.serviceEntry(e.home)
	}
	for _, h := range e.parts {
		e.serviceEntry(h)
		e.partRule(h)
	}
	if in.Stub {
		e.stub()
	}
}

// alive tells whether anything may be sent along a chain.
func alive(c plan.Chain) bool {
	return slices.ContainsFunc(c.Members(), func(b plan.Backend) bool { return !b.Absent })
}

// virtualService is nil where nothing can be routed yet.
func (e *emitter) virtualService() *networking.VirtualService {
	out := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: e.meta(mainName)}
	out.Spec.Hosts = []string{e.ownHost(), e.clusterSetHost()}
	routed := false
	for _, port := range e.service.Ports {
		if !port.L7() {
			// A connection has nothing to match: the last rule is its own.
			rules := e.service.Import.Rules
			if to := e.destinations(port, rules[len(rules)-1]); len(to) > 0 {
				routed = true
				out.Spec.Tcp = append(out.Spec.Tcp, tcpRoute(port, to))
			}
			continue
		}
		for _, r := range e.service.Import.Rules {
			to := e.destinations(port, r)
			routed = routed || len(to) > 0
			out.Spec.Http = append(out.Spec.Http, httpRoute(port, r, to))
		}
	}
	for _, port := range e.service.Import.OtherPorts {
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

func destination(host, subset string, port plan.Port) *v1alpha3.Destination {
	return &v1alpha3.Destination{Host: host, Subset: subset, Port: &v1alpha3.PortSelector{Number: uint32(port.Number)}}
}

// destinations returns where a rule sends what it matches, weighted.
func (e *emitter) destinations(port plan.Port, r plan.Rule) []target {
	var out []target
	for _, c := range r.Chains() {
		if !alive(c) {
			continue
		}
		h, subset := e.place(port, c)
		out = append(out, target{destination(h.name, subset, port), int32(c.Head.Weight)})
	}
	if len(out) == 1 {
		out[0].weight = 0 // the only one needs none
	}
	return out
}

func tcpRoute(port plan.Port, to []target) *v1alpha3.TCPRoute {
	out := &v1alpha3.TCPRoute{Match: []*v1alpha3.L4MatchAttributes{{Port: uint32(port.Number)}}}
	for _, t := range to {
		out.Route = append(out.Route, &v1alpha3.RouteDestination{Destination: t.Destination, Weight: t.weight})
	}
	return out
}

// httpRoute refuses what it matches while there is nobody to send it to:
// falling through to the next rule would mean something else.
func httpRoute(port plan.Port, r plan.Rule, to []target) *v1alpha3.HTTPRoute {
	out := &v1alpha3.HTTPRoute{Name: r.Label, Match: matches(port, r.Matches)}
	if len(to) == 0 {
		out.DirectResponse = &v1alpha3.HTTPDirectResponse{Status: 503}
		return out
	}
	for _, t := range to {
		out.Route = append(out.Route, &v1alpha3.HTTPRouteDestination{Destination: t.Destination, Weight: t.weight})
	}
	out.Timeout = duration(r.Timeout)
	if r.Retries != nil {
		on := []string{"connect-failure", "refused-stream"}
		if len(r.Retries.On) > 0 {
			on = nil
		}
		for _, condition := range r.Retries.On {
			on = append(on, string(condition))
		}
		out.Retries = &v1alpha3.HTTPRetry{Attempts: r.Retries.Attempts, PerTryTimeout: duration(r.Retries.PerTryTimeout), RetryOn: strings.Join(on, ",")}
	}
	return out
}

// matches expands the matches of a rule for one port: each method is a match
// of its own, and so is each form of a path prefix.
func matches(port plan.Port, all []v1alpha1.Match) []*v1alpha3.HTTPMatchRequest {
	if len(all) == 0 {
		all = []v1alpha1.Match{{}}
	}
	var out []*v1alpha3.HTTPMatchRequest
	for _, m := range all {
		for _, path := range paths(m.Path) {
			for _, method := range methods(m.Methods) {
				r := &v1alpha3.HTTPMatchRequest{Port: uint32(port.Number), Uri: path, Method: method}
				for _, h := range m.Headers {
					if r.Headers == nil {
						r.Headers = map[string]*v1alpha3.StringMatch{}
					}
					r.Headers[strings.ToLower(h.Name)] = exact(h.Exact)
				}
				out = append(out, r)
			}
		}
	}
	return out
}

func exact(text string) *v1alpha3.StringMatch {
	return &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Exact{Exact: text}}
}

// paths gives a prefix of whole path elements as Istio can say it: its own
// prefix would also take /apix for /api.
func paths(p *v1alpha1.PathMatch) []*v1alpha3.StringMatch {
	switch {
	case p == nil:
		return []*v1alpha3.StringMatch{nil}
	case p.Exact != "":
		return []*v1alpha3.StringMatch{exact(p.Exact)}
	}
	stem := strings.TrimRight(p.Prefix, "/")
	below := &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Prefix{Prefix: stem + "/"}}
	if stem == "" {
		return []*v1alpha3.StringMatch{below}
	}
	return []*v1alpha3.StringMatch{exact(stem), below}
}

func methods(all []v1alpha1.Method) []*v1alpha3.StringMatch {
	if len(all) == 0 {
		return []*v1alpha3.StringMatch{nil}
	}
	var out []*v1alpha3.StringMatch
	for _, m := range all {
		out = append(out, exact(string(m)))
	}
	return out
}

// clusterSetEntry makes the clusterset name known to the mesh. It has no
// endpoints of its own: every request to it is routed.
func (e *emitter) clusterSetEntry() {
	out := &networking.ServiceEntry{TypeMeta: kind("ServiceEntry"), ObjectMeta: e.meta(clusterSetName)}
	out.Spec.Hosts = []string{e.clusterSetHost()}
	out.Spec.Addresses = []string{e.service.Import.Virtual.String()}
	out.Spec.Ports = e.ports()
	out.Spec.Location = v1alpha3.ServiceEntry_MESH_INTERNAL
	out.Spec.Resolution = v1alpha3.ServiceEntry_NONE
	e.add(out)
}

// stub emits a Service without a selector: callers resolve the name, the mesh
// does the rest.
func (e *emitter) stub() {
	out := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: e.service.Namespace, Name: e.service.Name}}
	for _, p := range e.service.Ports {
		port := corev1.ServicePort{Name: portName(p), Port: p.Number, TargetPort: intstr.FromInt32(p.Number), Protocol: corev1.Protocol(p.Transport)}
		if p.AppProtocol != "" {
			port.AppProtocol = &p.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, port)
	}
	e.add(out)
}
