// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// host is one name of the mesh registry that routes point at.
type host struct {
	name string
	// prefix of the names of its objects.
	prefix string
	// cluster of the heads; empty for the home host.
	cluster string
	address netip.Addr
	// of is the service behind it; nil for the policy's own.
	of *other
	// depth is the number of tiers below the first.
	depth  int
	chains []placed
}

// placed is a chain on one port of a host.
type placed struct {
	plan.Chain
	port plan.Port
	// subset of the host, and the one that the gateways of other clusters know.
	subset, remote string
	affinity       *v1alpha1.SessionAffinity
	// labels that its endpoints are found by.
	labels map[string]string
}

// place finds the host and the subset for a chain, and notes the chain there.
func (e *emitter) place(port plan.Port, c plan.Chain, a *v1alpha1.SessionAffinity) (*host, string) {
	if !c.Head.Own() {
		return e.placeOther(port, c.Head, a)
	}
	h := e.hostOf(c)
	h.depth = max(h.depth, len(c.Tiers))
	p := placed{Chain: c, port: port, remote: e.subsetName(e.store, port, c), affinity: a, labels: selector(c)}
	if h == e.home && len(c.Tiers) == 0 && e.service.Import.FallsBackBeside(c.Head) {
		p.labels = sidecarsOnly(p.labels)
	}
	p.subset = p.remote
	if how := affinityID(a) + c.Weights(); how != "" {
		// The same pods, chosen among in another way.
		p.subset = subsetPrefix + digest(p.remote+"|"+how)
	}
	if !slices.ContainsFunc(h.chains, func(q placed) bool { return q.subset == p.subset }) {
		h.chains = append(h.chains, p)
	}
	if h == e.home && len(c.Tiers) == 0 && len(p.labels) == 0 && a == nil {
		return h, ""
	}
	return h, p.subset
}

// hostOf returns the host of a chain: the Service's own where it begins with
// the caller's own pods, otherwise that of the head's cluster.
func (e *emitter) hostOf(c plan.Chain) *host {
	if c.Head.Local {
		if e.home == nil {
			e.home = &host{name: e.ownHost(), prefix: mainName}
		}
		return e.home
	}
	for _, h := range e.parts {
		if h.cluster == c.Head.Cluster && h.of == nil {
			return h
		}
	}
	h := &host{name: e.partHost(c.Head.Cluster), prefix: mainName + "-" + c.Head.Cluster, cluster: c.Head.Cluster, address: c.Head.Part}
	e.parts = append(e.parts, h)
	return h
}

// chainLabel tells apart the endpoints of chains that begin in one cluster and
// go on differently.
const chainLabel = "fairlead.dev/chain"

// selector is what the endpoints of a chain are found by. At the home host
// gateways have the labels of the pods whose place they take, so that the same
// subset finds both; anywhere else every endpoint is ours.
func selector(c plan.Chain) map[string]string {
	if c.Head.Local {
		return c.Head.Labels
	}
	return map[string]string{chainLabel: digest(c.Gateways())}
}

// tlsModeLabel is on every pod with a sidecar, because the injector writes it,
// and never on a gateway.
const tlsModeLabel = "security.istio.io/tlsMode"

// sidecarsOnly leaves out the gateways that have the same labels.
func sidecarsOnly(labels map[string]string) map[string]string {
	out := map[string]string{tlsModeLabel: "istio"}
	maps.Copy(out, labels)
	return out
}

// labelPrefix begins the labels that tell tiers apart.
const labelPrefix = "fairlead.dev/t"

// failoverPriority lists the labels of the tiers below the first, best last:
// istiod counts from the front how many of them an endpoint has in common with
// the caller, and what nobody has is in common.
func (h *host) failoverPriority() []string {
	var out []string
	for i := range h.depth {
		out = append(out, fmt.Sprintf("%s%d", labelPrefix, i+1))
	}
	return out
}

// tierLabel is the label of the endpoints of a tier, 1 for the first below the
// head.
func (h *host) tierLabel(tier int) string {
	return fmt.Sprintf("%s%d", labelPrefix, h.depth-tier+1)
}

// endpoints returns the gateways behind a host, once for every selector that
// must find them.
func (e *emitter) endpoints(h *host) []*v1alpha3.WorkloadEntry {
	var out []*v1alpha3.WorkloadEntry
	seen := map[string]bool{}
	for _, c := range h.chains {
		tiers := slices.Concat([][]plan.Backend{{c.Head}}, c.Tiers)
		for i, tier := range tiers {
			if i == 0 && c.Head.Local {
				continue
			}
			labels := map[string]string{}
			maps.Copy(labels, selector(c.Chain))
			if i > 0 {
				labels[h.tierLabel(i)] = "x"
			}
			for _, w := range e.gateways(tier, e.portsOf(h), labels) {
				if key := fmt.Sprint(w.Address, w.Labels); !seen[key] {
					seen[key] = true
					out = append(out, w)
				}
			}
		}
	}
	return out
}

// gateways returns the endpoints of one tier. Where several clusters share it,
// each has its weight, divided between its addresses.
func (e *emitter) gateways(tier []plan.Backend, ports []plan.Port, labels map[string]string) []*v1alpha3.WorkloadEntry {
	multiple := int64(1)
	for _, b := range tier {
		multiple *= max(1, int64(len(wayTo(b).Addresses)))
	}
	var out []*v1alpha3.WorkloadEntry
	for _, b := range tier {
		g := wayTo(b)
		if b.Absent {
			continue
		}
		for _, a := range g.Addresses {
			w := &v1alpha3.WorkloadEntry{Address: a.String(), Ports: map[string]uint32{}, Labels: maps.Clone(labels)}
			for _, p := range ports {
				w.Ports[portName(p)] = uint32(cmp.Or(g.Port, p.Number))
			}
			if e.networks {
				// Left out it is the network of the store's own cluster, and those of
				// other networks would be sent to the gateway of that one.
				w.Network = b.Cluster
			}
			if len(tier) > 1 {
				w.Weight = uint32(b.Weight * multiple / int64(len(g.Addresses)))
			}
			out = append(out, w)
		}
	}
	return out
}

// wayTo returns how the pods of a backend are reached from other clusters:
// through the gateway of their mesh; where it has none, through tunnels at their
// export address, under their own ports, which is port 0 here.
func wayTo(b plan.Backend) plan.MeshGateway {
	switch {
	case b.Gateway != nil:
		return *b.Gateway
	case b.Address.IsValid():
		return plan.MeshGateway{Addresses: []netip.Addr{b.Address}}
	}
	return plan.MeshGateway{}
}

// portName is the name of a port in the registry. An unnamed one is named
// after its protocol, as Istio asks.
func portName(p plan.Port) string {
	return cmp.Or(p.Name, fmt.Sprintf("%s-%d", p.Protocol, p.Number))
}

// portsOf are the ports of the service behind a host.
func (e *emitter) portsOf(h *host) []plan.Port {
	if h.of != nil {
		return h.of.ports
	}
	return e.ports()
}

// ports are those that callers are routed on.
func (e *emitter) ports() []plan.Port { return e.service.Import.Ports }

// opaque: connections with TLS of the caller's own are declared as connections,
// so that they are routed whatever server name they ask for.
const opaque = true

// secondVersion are the words by which a Service says that its pods speak HTTP/2.
var secondVersion = []string{"http2", "grpc", "grpc-web"}

// declared is the protocol of a port in the registry. Requests are sent on in
// the version of HTTP that the Service says its pods speak.
func declared(p plan.Port, opaque bool) string {
	switch p.Protocol {
	case v1alpha1.ProtocolTLS:
		if opaque || p.Declares() != plan.DeclaredTLS {
			return string(v1alpha1.ProtocolTCP)
		}
	case v1alpha1.ProtocolHTTP:
		if w := p.Word(); slices.Contains(secondVersion, w) {
			return w
		}
	}
	return string(p.Protocol)
}

func servicePorts(ports []plan.Port, opaque bool) []*v1alpha3.ServicePort {
	var out []*v1alpha3.ServicePort
	for _, p := range ports {
		out = append(out, &v1alpha3.ServicePort{Number: uint32(p.Number), Name: portName(p), Protocol: strings.ToUpper(declared(p, opaque))})
	}
	return out
}

// serviceEntry emits the ServiceEntry of a host, unless nobody is behind it.
func (e *emitter) serviceEntry(h *host) {
	endpoints := e.endpoints(h)
	if len(endpoints) == 0 {
		return
	}
	out := &networking.ServiceEntry{TypeMeta: kind("ServiceEntry"), ObjectMeta: e.meta(h.prefix)}
	out.Spec.Hosts = []string{h.name}
	out.Spec.Ports = servicePorts(e.portsOf(h), h != e.home)
	for i, p := range e.portsOf(h) {
		if p.Sniffed && !p.L7() {
			// Requests among the connections keep their version of HTTP, as on their
			// way to the caller's own pods.
			out.Spec.Ports[i].Protocol = ""
		}
	}
	out.Spec.Location = v1alpha3.ServiceEntry_MESH_INTERNAL
	out.Spec.Resolution = v1alpha3.ServiceEntry_STATIC
	out.Spec.Endpoints = endpoints
	if h != e.home {
		// A gateway that does not know the host cannot pass callers of other
		// clusters on to it.
		out.Spec.ExportTo = e.service.Import.Namespaces
		if len(out.Spec.ExportTo) == 0 {
			out.Spec.ExportTo = []string{"."}
		}
		out.Spec.ExportTo = e.withGateways(out.Spec.ExportTo)
	}
	if h.address.IsValid() {
		out.Spec.Addresses = []string{h.address.String()}
	}
	e.add(out)
}
