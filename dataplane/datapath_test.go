// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/netns"
)

// Addresses of the service "web" in the tests.
const (
	webIP     = "243.0.0.1"
	webExport = "242.2.0.10"
)

// slice is an EndpointSlice of the service web, whose port 80 is 8080 at the
// endpoints.
func slice(name string, ready map[string]bool) discoveryv1.EndpointSlice {
	port, portName := int32(8080), "http"
	s := discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "web"},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
	}
	for pod, isReady := range ready {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{podAddress[pod]}, Conditions: discoveryv1.EndpointConditions{Ready: &isReady},
		})
	}
	return s
}

// route is the ServiceRoute of web.
func route(imp *v1alpha1.RouteImport, exp *v1alpha1.RouteExport) []v1alpha1.ServiceRoute {
	return []v1alpha1.ServiceRoute{{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindServiceRoute},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: v1alpha1.ServiceRouteSpec{
			Service: "web", Ports: []v1alpha1.RoutePort{{Name: "http", Port: 80, Transport: v1alpha1.TransportTCP}},
			Import: imp, Export: exp,
		},
	}}
}

// importWeb sends c1's connections to its own endpoints, and to c2 in the tier
// given by the weight or, without a weight, in the next tier.
func importWeb(remoteWeight int32) []v1alpha1.ServiceRoute {
	local := v1alpha1.RouteBackend{Cluster: "c1", Weight: 1}
	remote := v1alpha1.RouteBackend{Cluster: "c2", Weight: remoteWeight, Address: webExport}
	tiers := []v1alpha1.RouteTier{{Backends: []v1alpha1.RouteBackend{local, remote}}}
	if remoteWeight == 0 {
		remote.Weight = 1
		tiers = []v1alpha1.RouteTier{{Backends: []v1alpha1.RouteBackend{local}}, {Backends: []v1alpha1.RouteBackend{remote}}}
	}
	return route(&v1alpha1.RouteImport{Addresses: []v1alpha1.Address{webIP}, MinHealthy: 71, Tiers: tiers}, nil)
}

func exportWeb() []v1alpha1.ServiceRoute {
	return route(nil, &v1alpha1.RouteExport{Addresses: []v1alpha1.Address{webExport}})
}

func TestTunnelKeepsAddresses(t *testing.T) {
	w := newWorld(t)
	w.mustApply(nil, nil, "n1", "n2", "n3")
	for _, pod := range []string{"p1", "p2", "q1"} {
		w.serve(pod, 8080)
	}
	expect(t, w.pods["p1"], "10.2.1.2:8080", "q1 sees 10.1.1.2")
	expect(t, w.pods["q1"], "10.1.1.2:8080", "p1 sees 10.2.1.2")
	expect(t, w.pods["p2"], "10.2.1.2:8080", "q1 sees 10.1.2.2")
	expect(t, w.pods["q1"], "10.1.2.2:8080", "p2 sees 10.2.1.2")
	expect(t, w.nodes["n1"].ns, "10.2.1.2:8080", "q1 sees 242.1.255.1")
	expect(t, w.nodes["n2"].ns, "10.2.1.2:8080", "q1 sees 242.1.255.1")
	if got := run(t, w.nodes["n1"].ns, "ip link show dev "+w.state("n1", nil, nil).Tunnel.Name); !strings.Contains(got, "mtu 1440") {
		t.Errorf("MTU: %s", got)
	}
}

// TestTunnelAdmitsOnlyPods: what is at the far gateway's node, and behind it,
// is not for other clusters.
func TestTunnelAdmitsOnlyPods(t *testing.T) {
	w := newWorld(t)
	w.mustApply(nil, nil, "n1", "n2", "n3")
	w.serve("q1", 8080)
	expect(t, w.pods["p1"], "10.2.1.2:8080", "q1 sees")
	l, err := w.nodes["n3"].ns.Listen("tcp", "0.0.0.0:9000")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	expect(t, w.pods["p1"], "242.2.255.1:9000", "refused")
	expect(t, w.pods["p1"], "242.2.0.77:9000", "refused")
	run(t, w.pods["p1"], "ping -c 1 -W 5 242.2.255.1")
	// A gateway of c1 that sends other destinations into the tunnel, and n3 has
	// one of them: a service of the node that listens on all addresses.
	peer := &w.spec["c1"].Spec.Peers[0]
	peer.Prefixes = append(peer.Prefixes, "198.51.100.0/24")
	w.mustApply(nil, nil, "n1")
	run(t, w.nodes["n3"].ns, "ip addr add 198.51.100.1/24 dev lo")
	expect(t, w.pods["p1"], "198.51.100.1:9000", "refused")
	expect(t, w.nodes["n1"].ns, "198.51.100.1:9000", "refused")
}

func TestExportAddress(t *testing.T) {
	w := newWorld(t)
	both := []discoveryv1.EndpointSlice{slice("web-1", map[string]bool{"q1": true}), slice("web-2", map[string]bool{"q2": true})}
	w.mustApply(nil, nil, "n1", "n2")
	w.mustApply(exportWeb(), both, "n3")
	w.serve("q1", 8080)
	w.serve("q2", 8080)
	at := webExport + ":80"
	expect(t, w.pods["p1"], at, "sees 10.1.1.2")
	expect(t, w.pods["p2"], at, "sees 10.1.2.2")
	seen := map[string]int{}
	for range 40 {
		seen[ask(w.pods["p1"], at)]++
	}
	if seen["q1 sees 10.1.1.2"] == 0 || seen["q2 sees 10.1.1.2"] == 0 {
		t.Errorf("answers %v, want both endpoints", seen)
	}
	w.mustApply(exportWeb(), []discoveryv1.EndpointSlice{slice("web-1", map[string]bool{"q1": false, "q2": true})}, "n3")
	for range 10 {
		expect(t, w.pods["p1"], at, "q2 sees 10.1.1.2")
	}
	w.mustApply(exportWeb(), nil, "n3")
	expect(t, w.pods["p1"], at, "refused")
}

// TestClustersetIP goes through tiers and weights, from pods on both nodes and
// from the nodes themselves.
func TestClustersetIP(t *testing.T) {
	w := newWorld(t)
	remote := []discoveryv1.EndpointSlice{slice("web-c2", map[string]bool{"q1": true})}
	w.mustApply(exportWeb(), remote, "n3")
	w.serve("q1", 8080)
	w.serve("p2", 8080)
	at := webIP + ":80"
	local := []discoveryv1.EndpointSlice{slice("web-c1", map[string]bool{"p2": true})}
	w.mustApply(importWeb(0), local, "n1", "n2")
	expect(t, w.pods["p1"], at, "p2 sees 10.1.1.2")
	expect(t, w.pods["p2"], at, "p2 sees") // itself, through its node
	expect(t, w.nodes["n1"].ns, at, "p2 sees")
	expect(t, w.nodes["n2"].ns, at, "p2 sees")

	old, greeting, err := dial(w.pods["p1"], at)
	if err != nil {
		t.Fatal(greeting, err)
	}
	defer old.Close()
	w.mustApply(importWeb(0), nil, "n1", "n2") // the local ones die
	expect(t, w.pods["p1"], at, "q1 sees 10.1.1.2")
	expect(t, w.pods["p2"], at, "q1 sees 10.1.2.2")
	expect(t, w.nodes["n1"].ns, at, "q1 sees 242.1.255.1")
	expect(t, w.nodes["n2"].ns, at, "q1 sees 242.1.255.1")
	if _, err := fmt.Fprintln(old, "still there"); err != nil {
		t.Error(err)
	}
	echo := make([]byte, len("still there\n"))
	if _, err := old.Read(echo); err != nil || string(echo) != "still there\n" {
		t.Errorf("the established connection: %q, %v", echo, err)
	}

	w.mustApply(importWeb(3), local, "n1", "n2")
	expectShares(t, w, at)
	w.mustApply(importWeb(0), local, "n1", "n2")
	expect(t, w.pods["p1"], webIP+":81", "refused")
	expect(t, w.nodes["n1"].ns, "243.9.9.9:80", "refused")
}

// expectShares expects a quarter of the connections to stay. Of 200 draws at
// 0.25, fewer than 15 or more than 95 have a probability below 1e-9.
func expectShares(t *testing.T, w *world, at string) {
	t.Helper()
	const draws, least, most = 200, 15, 95
	stayed := 0
	for range draws {
		got := ask(w.pods["p1"], at)
		if strings.HasPrefix(got, "p2 ") {
			stayed++
		} else if !strings.HasPrefix(got, "q1 ") {
			t.Fatal(got)
		}
	}
	if stayed < least || stayed > most {
		t.Errorf("%d of %d stayed, want about a quarter", stayed, draws)
	}
}

func TestRefusedWhereNobodyServes(t *testing.T) {
	w := newWorld(t)
	w.spec["c1"].Spec.Peers = nil // no tunnel to c2, so its backend serves nobody
	w.mustApply(importWeb(0), nil, "n1", "n2")
	expect(t, w.pods["p1"], webIP+":80", "refused")
	expect(t, w.pods["p2"], webIP+":80", "refused")
	expect(t, w.nodes["n1"].ns, webIP+":80", "refused")
}

// TestSegmentSize: both ends learn in the handshake what fits the tunnel, so
// that nothing depends on ICMP messages.
func TestSegmentSize(t *testing.T) {
	w := newWorld(t)
	w.mustApply(nil, nil, "n1", "n2", "n3")
	w.serve("q1", 8080)
	expect(t, w.pods["p1"], "10.2.1.2:8080", "q1 sees")
	run(t, w.nodes["n3"].ns, "nft flush chain ip fairlead segment-size") // n1 must do for both ways
	l, err := w.pods["q1"].Listen("tcp", "10.2.1.2:9000")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, pod := range []string{"p1", "p2"} {
		c, err := w.pods[pod].DialContext(t.Context(), "tcp", "10.2.1.2:9000")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		const fits = 1440 - 20 - 20 // without the IP and the TCP header
		if near, far := segmentSize(t, c), segmentSize(t, s); near > fits || far > fits || near < fits-100 || far < fits-100 {
			t.Errorf("%s: segments of %d and %d bytes, want at most %d and little less", pod, near, far, fits)
		}
	}
}

// segmentSize is what a connection sends at most in one segment.
func segmentSize(t *testing.T, c net.Conn) (size int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	controlErr := raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG) })
	if err := errors.Join(controlErr, err); err != nil {
		t.Fatal(err)
	}
	return size
}

// TestNoClearText: without the tunnel, nothing for other clusters leaves.
func TestNoClearText(t *testing.T) {
	w := newWorld(t)
	w.mustApply(nil, nil, "n1", "n2", "n3")
	w.serve("q1", 8080)
	expect(t, w.pods["p1"], "10.2.1.2:8080", "q1 sees")
	for _, name := range []string{"n1", "n2"} { // a way around the tunnel
		run(t, w.nodes[name].ns, "ip route add default via 192.0.2.3")
	}
	run(t, w.nodes["n1"].ns, "ip link del "+w.state("n1", nil, nil).Tunnel.Name)
	for _, from := range []*netns.NS{w.pods["p1"], w.pods["p2"], w.nodes["n1"].ns, w.nodes["n2"].ns} {
		expect(t, from, "10.2.1.2:8080", "no route to host")
	}
}

// TestUDP goes by the clusterset IP and by the export address.
func TestUDP(t *testing.T) {
	w := newWorld(t)
	udp := func(routes []v1alpha1.ServiceRoute, slices ...discoveryv1.EndpointSlice) ([]v1alpha1.ServiceRoute, []discoveryv1.EndpointSlice) {
		routes[0].Spec.Ports[0].Transport = v1alpha1.TransportUDP
		protocol := corev1.ProtocolUDP
		for i := range slices {
			slices[i].Ports[0].Protocol = &protocol
		}
		return routes, slices
	}
	routes, slices := udp(exportWeb(), slice("web", map[string]bool{"q1": true}))
	w.mustApply(routes, slices, "n3")
	routes, slices = udp(importWeb(0))
	w.mustApply(routes, slices, "n1")
	server, err := w.pods["q1"].ListenPacket("udp", "10.2.1.2:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := w.pods["p1"].DialContext(t.Context(), "udp", webIP+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := make([]byte, 16)
	for range 20 {
		_, _ = c.Write([]byte("hello"))
		_ = server.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		if n, from, err := server.ReadFrom(got); err == nil {
			if host, _, _ := net.SplitHostPort(from.String()); host != podAddress["p1"] || string(got[:n]) != "hello" {
				t.Errorf("%q from %s", got[:n], from)
			}
			return
		}
	}
	t.Error("no datagram arrived")
}
