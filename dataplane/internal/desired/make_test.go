// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Keys of peers, which need only have the right length.
const (
	keyA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	keyB = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// input is cluster c1 with the gateway gw-a on n1, a tunnel to c2 and the
// service web in both.
func input(node string) Input {
	return Input{
		Node: node, Address: netip.MustParseAddr("192.0.2.1"), UnderlayMTU: 1500,
		Dataplane: &v1alpha1.Dataplane{Spec: v1alpha1.DataplaneSpec{
			Cluster: "c1", Driver: v1alpha1.DriverWireGuard, PodCIDRs: []v1alpha1.CIDR{"10.1.0.0/16"},
			GlobalCIDR: "242.1.0.0/16", ClusterSetCIDR: "243.0.0.0/8",
			Gateways: []v1alpha1.LocalGateway{{
				Name: "gw-a", Node: "n1", NodeAddresses: []v1alpha1.Address{"192.0.2.1"}, TunnelAddress: "242.1.255.1", Port: 51820,
			}},
			Peers: []v1alpha1.Peer{{
				Cluster: "c2", Gateway: "gw-a", PublicKey: keyA, Endpoints: []string{"198.51.100.2:51820"},
				TunnelAddress: "242.2.255.1", Prefixes: []v1alpha1.CIDR{"10.2.0.0/16", "242.2.0.0/16"},
			}},
		}},
		Routes: []v1alpha1.ServiceRoute{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
			Spec: v1alpha1.ServiceRouteSpec{
				Service: "web", Ports: []v1alpha1.RoutePort{{Name: "http", Port: 80, Transport: v1alpha1.TransportTCP}},
				Import: &v1alpha1.RouteImport{Addresses: []v1alpha1.Address{"243.0.0.1"}, MinHealthy: 71, Tiers: []v1alpha1.RouteTier{
					{Backends: []v1alpha1.RouteBackend{{Cluster: "c1", Weight: 3}, {Cluster: "c2", Weight: 1, Address: "242.2.0.1"}}},
				}},
				Export: &v1alpha1.RouteExport{Addresses: []v1alpha1.Address{"242.1.0.1"}},
			},
		}},
		Slices: []discoveryv1.EndpointSlice{endpointSlice("a", true, "10.1.0.5"), endpointSlice("b", true, "10.1.0.6", "10.1.0.5")},
	}
}

// endpointSlice is one of web's, on port 8080.
func endpointSlice(name string, ready bool, addresses ...string) discoveryv1.EndpointSlice {
	port, portName := int32(8080), "http"
	s := discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
	}
	return s
}

// text is a State for people.
func text(s State) string {
	var b strings.Builder
	if t := s.Tunnel; t != nil {
		fmt.Fprintf(&b, "tunnel %s %s port %d mtu %d\n", t.Name, t.Address, t.Port, t.MTU)
		for _, p := range t.Peers {
			fmt.Fprintf(&b, "peer %s %s %v\n", p.PublicKey[:4], p.Endpoint, p.AllowedIPs)
		}
	}
	for _, r := range s.Routes {
		fmt.Fprintf(&b, "route %s", r.Prefix)
		for _, x := range []struct {
			name string
			show bool
			v    any
		}{{"unreachable", r.Unreachable, ""}, {"dev", r.Device != "", r.Device}, {"via", r.Via.IsValid(), r.Via}, {"src", r.Source.IsValid(), r.Source}} {
			if x.show {
				fmt.Fprintf(&b, " %s %v", x.name, x.v)
			}
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "identity %v admitted %v hairpin %v\n", s.Filter.Identity, s.Filter.Admitted, s.Filter.Hairpin)
	for name, list := range map[string][]Choice{"service": s.Services} {
		for _, c := range list {
			fmt.Fprintf(&b, "%s %s:%d %d-%d → %s\n", name, c.Address, c.Port, c.First, c.Last, c.Target)
		}
	}
	for _, c := range s.Exports {
		fmt.Fprintf(&b, "export %s:%d %d-%d → %s\n", c.Address, c.Port, c.First, c.Last, c.Target)
	}
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "problem %s\n", p)
	}
	return b.String()
}

func TestMakeGateway(t *testing.T) {
	want := `tunnel ` + TunnelName("c1", "gw-a") + ` 242.1.255.1 port 51820 mtu 1440
peer AAAA 198.51.100.2:51820 [10.2.0.0/16 242.2.0.0/16]
route 10.2.0.0/16 unreachable 
route 242.2.0.0/16 unreachable 
route 10.2.0.0/16 dev ` + TunnelName("c1", "gw-a") + ` src 242.1.255.1
route 242.2.0.0/16 dev ` + TunnelName("c1", "gw-a") + ` src 242.1.255.1
route 243.0.0.0/8 dev lo src 192.0.2.1
identity [10.1.0.0/16 10.2.0.0/16 242.2.0.0/16] admitted [10.1.0.0/16 242.1.0.0/16] hairpin [10.1.0.5 10.1.0.6]
service 243.0.0.1:80 0-3749 → 10.1.0.5:8080
service 243.0.0.1:80 3750-7499 → 10.1.0.6:8080
service 243.0.0.1:80 7500-9999 → 242.2.0.1:80
export 242.1.0.1:80 0-4999 → 10.1.0.5:8080
export 242.1.0.1:80 5000-9999 → 10.1.0.6:8080
`
	if got := text(Make(input("n1"))); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestMakeOtherNode(t *testing.T) {
	s := Make(input("n2"))
	if s.Tunnel != nil || len(s.Exports) != 0 || len(s.Services) != 3 || !s.Complete() {
		t.Errorf("got\n%s", text(s))
	}
	if r := s.Routes[2]; r.Via != netip.MustParseAddr("192.0.2.1") || r.Device != "" || r.Source.IsValid() {
		t.Errorf("route %+v", r)
	}
	in := input("n2")
	in.Dataplane.Spec.Gateways[0].NodeAddresses = nil
	for _, r := range Make(in).Routes {
		if !r.Unreachable && r.Device != Loopback {
			t.Errorf("route %+v without a gateway's address", r)
		}
	}
}

func TestTunnelName(t *testing.T) {
	a, b := TunnelName("c1", "gw-a"), TunnelName("c1g", "w-a")
	if len(a) > 15 || !strings.HasPrefix(a, NamePrefix) || a == b {
		t.Errorf("names %q and %q", a, b)
	}
}

// TestMakeIsDeterministic: the order of the input does not show.
func TestMakeIsDeterministic(t *testing.T) {
	in := input("n1")
	second := in.Dataplane.Spec.Peers[0]
	second.Gateway, second.PublicKey = "gw-b", keyB
	in.Dataplane.Spec.Peers = append(in.Dataplane.Spec.Peers, second)
	other := *in.Routes[0].DeepCopy()
	other.Name, other.Spec.Import.Addresses[0], other.Spec.Export = "api", "243.0.0.2", nil
	in.Routes = append(in.Routes, other)
	want := Make(in)
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		r.Shuffle(len(in.Routes), func(i, j int) { in.Routes[i], in.Routes[j] = in.Routes[j], in.Routes[i] })
		r.Shuffle(len(in.Slices), func(i, j int) { in.Slices[i], in.Slices[j] = in.Slices[j], in.Slices[i] })
		p := in.Dataplane.Spec.Peers
		r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
		if got := Make(in); !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%swant\n%s", text(got), text(want))
		}
	}
	if len(want.Tunnel.Peers) != 2 || len(want.Tunnel.Peers[0].AllowedIPs) == 0 || len(want.Tunnel.Peers[1].AllowedIPs) != 0 {
		t.Errorf("the first gateway alone should have the prefixes:\n%s", text(want))
	}
}
