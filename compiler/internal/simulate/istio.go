// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"

	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	security "istio.io/client-go/pkg/apis/security/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Istio answers requests as sidecars do that istiod configures from the objects
// of their config store. What it reads of an object is what istiod makes
// Envoy's routes, clusters and endpoints of.
type Istio struct {
	ground Ground
	// meshes by cluster.
	meshes map[string]*mesh
}

// mesh is what the istiod of one cluster sees.
type mesh struct {
	site     Site
	services []corev1.Service
	routes   []*networking.VirtualService
	rules    []*networking.DestinationRule
	entries  []*networking.ServiceEntry
	gateways []*networking.Gateway
	exports  []*v1alpha1.ServiceRoute
	access   []*security.AuthorizationPolicy
	peers    []*security.PeerAuthentication
}

// NewIstio reads the objects of every cluster. What configures the proxies of a
// cluster is in the store of its control plane; its Services are its own.
func NewIstio(g Ground, stores []manifest.Bundle) *Istio {
	out := &Istio{ground: g, meshes: map[string]*mesh{}}
	read := map[string]*mesh{}
	for _, b := range stores {
		m := &mesh{}
		for _, o := range b.Objects() {
			m.add(o.Unstructured().Object)
		}
		read[b.Store] = m
	}
	for name, site := range g.Sites {
		m := mesh{}
		if control := read[site.ControlPlane]; control != nil {
			m = *control
		}
		m.site, m.services, m.exports = site, nil, nil
		if own := read[name]; own != nil {
			m.services, m.exports = own.services, own.exports
		}
		out.meshes[name] = &m
	}
	return out
}

// add takes in an object that istiod reads; it leaves out what has another
// shape than its kind, as istiod does.
func (m *mesh) add(content map[string]any) {
	kind, _ := content["kind"].(string)
	version, _ := content["apiVersion"].(string)
	switch {
	case kind == "Service" && version == "v1":
		var s corev1.Service
		if decode(content, &s) {
			m.services = append(m.services, s)
		}
	case version == security.SchemeGroupVersion.String():
		m.addAccess(kind, content)
	case kind == v1alpha1.KindServiceRoute && version == v1alpha1.GroupVersion.String():
		if o := new(v1alpha1.ServiceRoute); decode(content, o) && o.Spec.Export != nil {
			m.exports = append(m.exports, o)
		}
	case version != networking.SchemeGroupVersion.String():
	case kind == "VirtualService":
		if o := new(networking.VirtualService); decode(content, o) {
			m.routes = append(m.routes, o)
		}
	case kind == "DestinationRule":
		if o := new(networking.DestinationRule); decode(content, o) {
			m.rules = append(m.rules, o)
		}
	case kind == "ServiceEntry":
		if o := new(networking.ServiceEntry); decode(content, o) {
			m.entries = append(m.entries, o)
		}
	case kind == "Gateway":
		if o := new(networking.Gateway); decode(content, o) {
			m.gateways = append(m.gateways, o)
		}
	}
}

// decode turns an object into its type; false where it has another shape.
func decode(content map[string]any, into any) bool {
	text, err := json.Marshal(content)
	return err == nil && json.Unmarshal(text, into) == nil
}

// Answer computes what a request of a pod with a sidecar gets.
func (i *Istio) Answer(w World, r Request) Answer {
	m := i.meshes[r.From.Cluster]
	if m == nil || w.lost(r.From.Cluster) {
		return ended(Unreachable, "the caller's cluster is lost").Early
	}
	if r.From.Gateway != "" {
		c := &sidecar{Istio: i, mesh: m, world: w, request: r, host: r.Host}
		return c.answer()
	}
	n, ok := parse(r.Host, r.From.Namespace, m.site.Domain)
	if !ok {
		return ended(NoRoute, r.Host+" is no name of a Service").Early
	}
	if r.Scheme == "udp" {
		return m.site.itself(w, n, r) // sidecars carry no datagrams
	}
	c := &sidecar{Istio: i, mesh: m, world: w, request: r, host: n.host(m.site.Domain)}
	return c.answer()
}

// host is the whole name.
func (n name) host(domain string) string {
	if !n.clusterSet {
		domain = localDomain
	}
	return n.service + "." + n.namespace + ".svc." + domain
}

// sidecar is one request on its way through a caller's sidecar.
type sidecar struct {
	*Istio
	mesh    *mesh
	world   World
	request Request
	// host is the whole name that is called.
	host string
	// taken is the condition that the request met.
	taken *v1alpha3.HTTPMatchRequest
	note  Answer
	// shut: somebody did not let the caller in. copies: nobody waits for an answer.
	shut, copies bool
}

func (c *sidecar) end(v Verdict) Answer {
	c.note.Verdict, c.note.Unserved = v, one()
	return c.note
}

func (c *sidecar) say(format string, args ...any) {
	c.note = c.note.step(noPlace, format, args...)
}

// answer finds the route, then the pods behind each of its destinations.
func (c *sidecar) answer() Answer {
	port, ok := meshPort{number: c.request.Port, l7: c.request.L7(), tls: protocolWords[c.request.Scheme] == saysTLS}, true
	if c.request.From.Gateway == "" {
		port, ok = c.port()
	}
	if !ok {
		c.say("the mesh of %s knows no port %d of %s", c.mesh.site.Cluster, c.request.Port, c.host)
		return c.end(NoRoute)
	}
	if port.passed {
		return c.passOn(port)
	}
	to, ok := c.route(port)
	if !ok {
		return c.end(NoRoute)
	}
	if c.note.Verdict != "" {
		return c.end(c.note.Verdict)
	}
	total := int64(0)
	for _, t := range to {
		total += t.weight
	}
	var shares []Share
	for _, t := range to {
		if t.weight > 0 {
			shares = append(shares, c.cluster(t, part(t.weight, total))...)
		}
	}
	out := c.note.serve(shares)
	switch {
	case out.Verdict != Unreachable:
		return out
	case c.shut:
		out.Verdict = Refused
		return out.status(port.l7, 403)
	}
	return out.status(port.l7, 503)
}
