// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// endpoints are the local endpoints of one port of a service.
type endpoints struct {
	// ready, sorted and without doubles.
	ready []netip.AddrPort
	// unready counts those that are neither ready nor on their way out.
	unready int
}

// health is the ready part of what should be ready; zero where there is nothing.
func (e endpoints) health() float64 {
	if len(e.ready) == 0 {
		return 0
	}
	return float64(len(e.ready)) / float64(len(e.ready)+e.unready)
}

// serviceName identifies a Service.
type serviceName struct{ namespace, name string }

// bySlice sorts the EndpointSlices of IPv4 by the Service they belong to.
func byService(list []discoveryv1.EndpointSlice) map[serviceName][]*discoveryv1.EndpointSlice {
	out := map[serviceName][]*discoveryv1.EndpointSlice{}
	for i := range list {
		s := &list[i]
		name := s.Labels[discoveryv1.LabelServiceName]
		if name == "" || s.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		key := serviceName{s.Namespace, name}
		out[key] = append(out[key], s)
	}
	return out
}

// endpointsOf collects the endpoints of one port. An endpoint that two slices
// name, as happens while it moves from one to the other, counts once, and as
// ready if either says so.
func endpointsOf(list []*discoveryv1.EndpointSlice, port v1alpha1.RoutePort) endpoints {
	ready := map[netip.AddrPort]bool{}
	for _, s := range list {
		number, found := targetPort(s.Ports, port)
		if !found {
			continue
		}
		for _, e := range s.Endpoints {
			isReady := e.Conditions.Ready == nil || *e.Conditions.Ready
			terminating := e.Conditions.Terminating != nil && *e.Conditions.Terminating
			if len(e.Addresses) == 0 || (terminating && !isReady) {
				continue
			}
			addr, err := netip.ParseAddr(e.Addresses[0])
			if err != nil || !addr.Is4() {
				continue
			}
			at := netip.AddrPortFrom(addr, number)
			ready[at] = ready[at] || isReady
		}
	}
	var out endpoints
	for at, is := range ready {
		if is {
			out.ready = append(out.ready, at)
		} else {
			out.unready++
		}
	}
	slices.SortFunc(out.ready, netip.AddrPort.Compare)
	return out
}

// targetPort finds the port's number at the endpoints of a slice.
func targetPort(ports []discoveryv1.EndpointPort, want v1alpha1.RoutePort) (uint16, bool) {
	for _, p := range ports {
		name, protocol := "", corev1.ProtocolTCP
		if p.Name != nil {
			name = *p.Name
		}
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		if name == want.Name && string(protocol) == string(want.Transport) && p.Port != nil && validPort(*p.Port) {
			return uint16(*p.Port), true
		}
	}
	return 0, false
}

// validPort says that n is a port number.
func validPort(n int32) bool { return n > 0 && n <= 65535 }
