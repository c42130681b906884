// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// TestProblems changes one thing of a good input. The problem is named, and
// what the input would take over is not there.
func TestProblems(t *testing.T) {
	for want, change := range map[string]func(*Input){
		`driver "ipsec" is not supported`:      func(in *Input) { in.Dataplane.Spec.Driver = "ipsec" },
		`podCIDRs: fd00::/64 is IPv6`:          func(in *Input) { in.Dataplane.Spec.PodCIDRs = append(in.Dataplane.Spec.PodCIDRs, "fd00::/64") },
		`globalCIDR: "x" is not a prefix`:      func(in *Input) { in.Dataplane.Spec.GlobalCIDR = "x" },
		`clusterSetCIDR: 0.0.0.0/0 is every`:   func(in *Input) { in.Dataplane.Spec.ClusterSetCIDR = "0.0.0.0/0" },
		`the public key is not 32 bytes`:       func(in *Input) { in.Dataplane.Spec.Peers[0].PublicKey = "AAAA" },
		`it has no endpoint`:                   func(in *Input) { in.Dataplane.Spec.Peers[0].Endpoints = nil },
		`endpoint "gw:51820" is not address`:   func(in *Input) { in.Dataplane.Spec.Peers[0].Endpoints[0] = "gw:51820" },
		`endpoint "10.250.0.2" is not address`: func(in *Input) { in.Dataplane.Spec.Peers[0].PrivateEndpoints = []string{"10.250.0.2"} },
		`tunnelAddress: "" is not an address`:  func(in *Input) { in.Dataplane.Spec.Peers[0].TunnelAddress = "" },
		`prefixes: fd00::/8 is IPv6`:           func(in *Input) { in.Dataplane.Spec.Peers[0].Prefixes[0] = "fd00::/8" },
		`overlaps this cluster's 10.1.0.0/16`:  func(in *Input) { in.Dataplane.Spec.Peers[0].Prefixes[0] = "10.0.0.0/8" },
		`overlaps this cluster's 243.0.0.0/8`:  func(in *Input) { in.Dataplane.Spec.Peers[0].Prefixes[0] = "243.1.0.0/16" },
		`run through itself`:                   func(in *Input) { in.Dataplane.Spec.Peers[0].Prefixes[0] = "198.51.0.0/16" },
		`is also cluster c2's`:                 func(in *Input) { addPeer(in, "c3", keyB) },
		`the public key is another peer's too`: func(in *Input) { addPeer(in, "c2", keyA) },
		`gateway gw-a: tunnelAddress: 10.9.`:   func(in *Input) { in.Dataplane.Spec.Gateways[0].TunnelAddress = "10.9.9.9" },
		`gateway gw-a: 0 is not a port`:        func(in *Input) { in.Dataplane.Spec.Gateways[0].Port = 0 },
		`an MTU of 100 bytes is too small`:     func(in *Input) { in.Dataplane.Spec.MTU = 100 },
		`port 0/TCP is neither`:                func(in *Input) { in.Routes[0].Spec.Ports[0].Port = 0 },
		`port 80/SCTP is neither`:              func(in *Input) { in.Routes[0].Spec.Ports[0].Transport = "SCTP" },
		`address: 10.101.0.1 is not in 243.`:   func(in *Input) { in.Routes[0].Spec.Import.Addresses[0] = "10.101.0.1" },
		`address: 10.1.0.9 is not in 242.1.`:   func(in *Input) { in.Routes[0].Spec.Export.Addresses[0] = "10.1.0.9" },
		`242.1.255.1 is the gateway's own`:     func(in *Input) { in.Routes[0].Spec.Export.Addresses[0] = "242.1.255.1" },
		`minHealthy 0 is not a percentage`:     func(in *Input) { in.Routes[0].Spec.Import.MinHealthy = 0 },
		`backend c2: weight -1 is negative`:    func(in *Input) { in.Routes[0].Spec.Import.Tiers[0].Backends[1].Weight = -1 },
		`backend c2: address: "" is not an`:    func(in *Input) { in.Routes[0].Spec.Import.Tiers[0].Backends[1].Address = "" },
		`port 80/TCP is route default/web's`: func(in *Input) {
			twin := *in.Routes[0].DeepCopy()
			twin.Name = "webby"
			in.Routes = append(in.Routes, twin)
		},
	} {
		t.Run(want, func(t *testing.T) {
			in := input("n1")
			change(&in)
			s := Make(in)
			if s.Complete() || !strings.Contains(strings.Join(s.Problems, "\n"), want) {
				t.Errorf("problems %q, want %q", s.Problems, want)
			}
		})
	}
}

func addPeer(in *Input, cluster, key string) {
	p := in.Dataplane.Spec.Peers[0]
	p.Cluster, p.Gateway, p.PublicKey = cluster, "gw-z", key
	in.Dataplane.Spec.Peers = append(in.Dataplane.Spec.Peers, p)
}

// TestStolenAddressIsNotServed: a route cannot take over an address that is not
// a clusterset IP.
func TestStolenAddressIsNotServed(t *testing.T) {
	in := input("n1")
	in.Routes[0].Spec.Import.Addresses[0] = "10.101.0.1"
	if s := Make(in); len(s.Services) != 0 {
		t.Errorf("got\n%s", text(s))
	}
}

// TestBackendWithoutTunnel serves nobody: its packets would leave in clear text.
func TestBackendWithoutTunnel(t *testing.T) {
	in := input("n1")
	in.Dataplane.Spec.Peers = nil
	s := Make(in)
	if !s.Complete() || len(s.Services) != 2 || s.Services[1].Last != Slots-1 {
		t.Errorf("got\n%s", text(s))
	}
}

func TestMTU(t *testing.T) {
	for want, change := range map[int]func(*Input){
		1440: func(*Input) {},
		1420: func(in *Input) { in.Dataplane.Spec.Peers[0].Endpoints[0] = "[2001:db8::2]:51820" },
		1300: func(in *Input) { in.Dataplane.Spec.MTU = 1300 },
		1390: func(in *Input) { in.UnderlayMTU = 1450 },
	} {
		in := input("n1")
		change(&in)
		if got := Make(in).Tunnel.MTU; got != want {
			t.Errorf("MTU %d, want %d", got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	yes, no := true, false
	all := endpointSlice("a", true, "10.1.0.5")
	all.Endpoints = append(all.Endpoints,
		discoveryv1.Endpoint{Addresses: []string{"10.1.0.6"}}, // unknown counts as ready
		discoveryv1.Endpoint{Addresses: []string{"10.1.0.7"}, Conditions: discoveryv1.EndpointConditions{Ready: &no}},
		discoveryv1.Endpoint{Addresses: []string{"10.1.0.8"}, Conditions: discoveryv1.EndpointConditions{Ready: &no, Terminating: &yes}},
		discoveryv1.Endpoint{Addresses: []string{"nonsense"}},
		discoveryv1.Endpoint{},
	)
	six := endpointSlice("v6", true, "fd00::1")
	six.AddressType = discoveryv1.AddressTypeIPv6
	stranger := endpointSlice("other", true, "10.1.0.9")
	stranger.Labels = nil
	list := byService([]discoveryv1.EndpointSlice{all, six, stranger, endpointSlice("twin", false, "10.1.0.5")})
	port := v1alpha1.RoutePort{Name: "http", Port: 80, Transport: v1alpha1.TransportTCP}
	got := endpointsOf(list[serviceName{"default", "web"}], port)
	if len(got.ready) != 2 || got.unready != 1 || got.health() != 2.0/3 {
		t.Errorf("got %+v", got)
	}
	port.Transport = v1alpha1.TransportUDP
	if got := endpointsOf(list[serviceName{"default", "web"}], port); got.health() != 0 {
		t.Errorf("UDP: %+v", got)
	}
}

// TestPrivateEndpoint: what is reached over a network of its own is not sent to
// by way of the internet, and only its underlay counts.
func TestPrivateEndpoint(t *testing.T) {
	in := input("n1")
	p := &in.Dataplane.Spec.Peers[0]
	p.PrivateEndpoints = []string{"10.250.0.2:51900", "10.251.0.2:51900"}
	want := netip.MustParseAddrPort("10.250.0.2:51900")
	s := Make(in)
	if !s.Complete() || len(s.Tunnel.Peers) != 1 || s.Tunnel.Peers[0].Endpoint != want {
		t.Errorf("got\n%s", text(s))
	}
	if got := Endpoints(in.Dataplane); !slices.Equal(got, []netip.Addr{want.Addr()}) {
		t.Errorf("the way is looked for to %v", got)
	}
}
