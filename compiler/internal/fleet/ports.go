// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// is tells whether a name is the service's.
func (s *Service) is(n inventory.Name) bool { return n.Namespace == s.Namespace && n.Name == s.Name }

// resolvePorts takes from the clusters what the policies do not say: names,
// and the ports themselves. Exporters are asked first, by name; a service is
// the same everywhere (KEP-1645), so that any other cluster may answer too.
// Where exporters differ, most of them decide.
func (b *builder) resolvePorts(s *Service) {
	asked := slices.Clone(s.Exporters)
	for _, found := range s.shown {
		if !s.ExportedBy(found.Cluster) {
			asked = append(asked, found.Cluster)
		}
	}
	if ports, headless, ok := s.agreed(asked); ok {
		s.Headless = headless
		s.fill(ports)
		return
	}
	var headless vote
	var observed []*portVote
	for i, c := range asked {
		svc := s.in(c)
		if svc == nil {
			continue
		}
		exports := i < len(s.Exporters)
		if exports && !svc.ExternalName {
			headless.cast(c, headlessWord(svc.Headless))
		}
		if svc.ExternalName {
			continue
		}
		for _, p := range svc.Ports {
			port, ok := portOf(p)
			if !ok || !exports && !s.PortsGiven() {
				continue
			}
			j := slices.IndexFunc(observed, func(v *portVote) bool { return v.port.Same(port) })
			if j < 0 {
				j = len(observed)
				observed = append(observed, &portVote{port: port})
			}
			observed[j].cast(c, port)
		}
	}
	s.Headless = b.settle(s, &headless, "a Service") == headlessWord(true)
	ports := make([]Port, len(observed))
	for i, v := range observed {
		ports[i] = b.elect(s, v)
	}
	s.fill(ports)
}

// agreed returns the ports, where all clusters that have the Service say the
// same of it: then nothing is to be voted on. That is nearly always so.
func (s *Service) agreed(asked []*Cluster) (ports []Port, headless, ok bool) {
	var all *inventory.Service
	for i, c := range asked {
		svc := s.in(c)
		switch {
		case svc == nil:
			continue
		case svc.ExternalName || i >= len(s.Exporters) && !s.PortsGiven():
			return nil, false, false
		case all == nil:
			if i >= len(s.Exporters) {
				return nil, false, false // only exporters say what the Service is
			}
			all = svc
		case svc.Headless != all.Headless || !slices.Equal(svc.Ports, all.Ports):
			return nil, false, false
		}
	}
	if all == nil {
		return nil, false, false
	}
	ports = make([]Port, 0, len(all.Ports))
	for _, p := range all.Ports {
		port, known := portOf(p)
		if !known || slices.ContainsFunc(ports, port.Same) {
			return nil, false, false
		}
		ports = append(ports, port)
	}
	return ports, all.Headless, true
}

// fill takes over the ports that were observed.
func (s *Service) fill(observed []Port) {
	if !s.PortsGiven() {
		s.Ports = observed
		slices.SortFunc(s.Ports, comparePorts)
	}
	s.NamesKnown = true
	for i, p := range s.Ports {
		j := slices.IndexFunc(observed, p.Same)
		if j < 0 {
			s.NamesKnown = false
			continue
		}
		s.Ports[i].Name, s.Ports[i].AppProtocol, s.Ports[i].Target = observed[j].Name, observed[j].AppProtocol, observed[j].Target
	}
}

// Same tells whether two ports have one number and transport.
func (p Port) Same(q Port) bool { return p.Number == q.Number && p.Transport() == q.Transport() }

// seenAs tells whether a port that was observed has the same number and
// transport.
func (p Port) seenAs(q inventory.Port) bool {
	transport := v1alpha1.Transport(cmp.Or(q.Transport, string(v1alpha1.TransportTCP)))
	return p.Number == q.Port && p.Transport() == transport
}

// Transport is the transport protocol of the port.
func (p Port) Transport() v1alpha1.Transport {
	if p.Protocol == v1alpha1.ProtocolUDP {
		return v1alpha1.TransportUDP
	}
	return v1alpha1.TransportTCP
}

// L7 tells whether the port is routed per request.
func (p Port) L7() bool {
	return p.Protocol == v1alpha1.ProtocolHTTP || p.Protocol == v1alpha1.ProtocolGRPC
}

// spoken are the words of Services that tell a protocol other than tcp (Istio's
// protocol selection; Kubernetes' standard application protocols).
var spoken = map[string]v1alpha1.Protocol{
	"http": v1alpha1.ProtocolHTTP, "http2": v1alpha1.ProtocolHTTP, "http_proxy": v1alpha1.ProtocolHTTP,
	"grpc": v1alpha1.ProtocolGRPC, "grpc-web": v1alpha1.ProtocolGRPC,
	"https": v1alpha1.ProtocolTLS, "tls": v1alpha1.ProtocolTLS,
}

// portOf reads a port that was observed; false for a transport that nothing
// here carries.
func portOf(p inventory.Port) (Port, bool) {
	out := Port{Name: p.Name, Number: p.Port, AppProtocol: p.AppProtocol, Protocol: v1alpha1.ProtocolTCP, Target: p.TargetPort}
	switch p.Transport {
	case "TCP", "":
	case "UDP":
		out.Protocol = v1alpha1.ProtocolUDP
		return out, true
	default:
		return out, false
	}
	said := out.Word()
	if said == "" {
		said = word(p.Name) // what nobody knows says nothing
	}
	if protocol, ok := spoken[said]; ok {
		out.Protocol = protocol
	}
	return out, true
}

// PortsOf returns the ports of the Service in one cluster, as observed.
func (s *Service) PortsOf(c *Cluster) []Port {
	svc := s.in(c)
	if svc == nil {
		return nil
	}
	out := make([]Port, 0, len(svc.Ports))
	for _, p := range svc.Ports {
		if port, ok := portOf(p); ok {
			out = append(out, port)
		}
	}
	slices.SortFunc(out, comparePorts)
	return out
}
