// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math/big"
	"slices"
	"strings"

	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// noPlace is the position of what no file of the user's says.
var noPlace diag.Position

// part is a ÷ b.
func part(a, b int64) *big.Rat { return big.NewRat(a, b) }

// own returns the ports of the cluster's own Service of a name.
func (m *mesh) own(host string) []inventory.Port {
	n, ok := parse(host, "", localDomain)
	if !ok || !strings.HasSuffix(host, "."+localDomain) {
		return nil
	}
	if svc, ok := m.site.service(n.namespace, n.service); ok {
		return svc.Ports
	}
	for _, s := range m.services {
		if s.Namespace != n.namespace || s.Name != n.service {
			continue
		}
		var out []inventory.Port
		for _, p := range s.Spec.Ports {
			port := inventory.Port{Name: p.Name, Port: p.Port, Transport: string(p.Protocol)}
			if p.AppProtocol != nil {
				port.AppProtocol = *p.AppProtocol
			}
			out = append(out, port)
		}
		return out
	}
	return nil
}

// entriesOf finds the ServiceEntries of a host that a namespace sees.
func (m *mesh) entriesOf(host, namespace string) []*networking.ServiceEntry {
	var out []*networking.ServiceEntry
	for _, e := range m.entries {
		if slices.Contains(e.Spec.Hosts, host) && visible(e.Spec.ExportTo, e.Namespace, namespace) {
			out = append(out, e)
		}
	}
	return out
}

// visible tells whether an object of one namespace is exported to another.
func visible(exportTo []string, from, to string) bool {
	return len(exportTo) == 0 || slices.Contains(exportTo, "*") || slices.Contains(exportTo, to) || from == to && slices.Contains(exportTo, ".")
}

// destined is where a part of the requests is sent.
type destined struct {
	host, subset string
	port         int32
	weight       int64
}

// route finds where the request is sent: by the VirtualService of its host,
// otherwise to the host itself.
func (c *sidecar) route(port meshPort) ([]destined, bool) {
	i := slices.IndexFunc(c.mesh.routes, func(v *networking.VirtualService) bool {
		return visible(v.Spec.ExportTo, v.Namespace, c.request.From.Namespace) && c.at(v.Namespace, v.Spec.Gateways) &&
			slices.ContainsFunc(v.Spec.Hosts, func(h string) bool { return covers(absolute(h, v.Namespace), c.host) })
	})
	itself := []destined{{host: c.host, port: port.number, weight: 1}}
	if c.request.From.Gateway != "" && (i < 0 || port.l7 && len(c.mesh.routes[i].Spec.Http) == 0 || !port.l7 && len(c.mesh.routes[i].Spec.Tcp)+len(c.mesh.routes[i].Spec.Tls) == 0) {
		c.say("nothing at the gateway is for %s", c.host)
		c.note = c.note.status(port.l7, 404)
		return nil, false
	}
	if i < 0 {
		c.say("no VirtualService routes %s", c.host)
		return itself, true
	}
	v := c.mesh.routes[i]
	name := "VirtualService/" + v.Namespace + "/" + v.Name
	if !port.l7 {
		if to := c.stream(port, v); to != nil {
			return to, true
		}
		return itself, true
	}
	if c.request.From.Gateway == "" && !slices.ContainsFunc(v.Spec.Http, c.concerns) {
		return itself, true // istiod leaves such a one out, for these proxies and this port
	}
	for j, h := range v.Spec.Http {
		k := slices.IndexFunc(h.Match, c.matches)
		if len(h.Match) > 0 && k < 0 {
			continue
		}
		if k >= 0 {
			c.taken = h.Match[k]
		}
		c.say("%s: http route %d %q", name, j, h.Name)
		return c.take(v.Namespace, h), true
	}
	c.say("%s: no route matches", name)
	c.note = c.note.status(true, 404)
	return nil, false
}

// concerns tells whether a route is for the caller and the port at all.
func (c *sidecar) concerns(h *v1alpha3.HTTPRoute) bool {
	return len(h.Match) == 0 || slices.ContainsFunc(h.Match, func(m *v1alpha3.HTTPMatchRequest) bool {
		return (m.GetPort() == 0 || int32(m.GetPort()) == c.request.Port) && c.fromThere(m.GetSourceLabels(), m.GetSourceNamespace(), m.GetGateways())
	})
}

// stream finds where a connection is sent; nil where no route is for it. Tls
// routes are for ports that are declared as TLS, tcp routes for all others.
func (c *sidecar) stream(port meshPort, v *networking.VirtualService) []destined {
	name := "VirtualService/" + v.Namespace + "/" + v.Name
	if port.tls {
		for j, t := range v.Spec.Tls {
			if slices.ContainsFunc(t.Match, c.serverMatches) {
				c.say("%s: tls route %d", name, j)
				return c.streamTargets(v.Namespace, t.Route)
			}
		}
		return nil
	}
	for j, t := range v.Spec.Tcp {
		if len(t.Match) == 0 || slices.ContainsFunc(t.Match, c.streamMatches) {
			c.say("%s: tcp route %d", name, j)
			return c.streamTargets(v.Namespace, t.Route)
		}
	}
	return nil
}

func (c *sidecar) streamTargets(namespace string, route []*v1alpha3.RouteDestination) []destined {
	var out []destined
	for _, d := range route {
		out = append(out, c.target(namespace, d.GetDestination(), d.GetWeight(), len(route)))
	}
	return out
}

// target is a destination; the only one gets everything.
func (c *sidecar) target(namespace string, d *v1alpha3.Destination, weight int32, of int) destined {
	out := destined{host: absolute(d.GetHost(), namespace), subset: d.GetSubset(), port: int32(d.GetPort().GetNumber()), weight: int64(weight)}
	if out.port == 0 {
		out.port = c.request.Port
	}
	if of == 1 {
		out.weight = 1
	}
	return out
}

func inMesh(gateways []string) bool { return len(gateways) == 0 || slices.Contains(gateways, "mesh") }

// at tells whether an object of a namespace is for where the request comes in:
// the gateway, or the sidecars.
func (c *sidecar) at(namespace string, gateways []string) bool {
	from := c.request.From
	if from.Gateway == "" {
		return inMesh(gateways)
	}
	return slices.ContainsFunc(gateways, func(g string) bool {
		return g == from.Namespace+"/"+from.Gateway || g == from.Gateway && namespace == from.Namespace
	})
}

// absolute completes a short host by the namespace of the object that has it.
func absolute(host, namespace string) string {
	if strings.Contains(host, ".") || host == "*" {
		return host
	}
	return host + "." + namespace + ".svc." + localDomain
}

// covers tells whether a host of an object, which may begin with a wildcard,
// means another.
func covers(pattern, host string) bool {
	if rest, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(host, rest)
	}
	return pattern == host
}
