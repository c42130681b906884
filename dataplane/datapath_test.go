// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"fmt"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
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
	// A gateway of c1 that sends other destinations into the tunnel.
	name := w.state("n1", nil, nil).Tunnel.Name
	run(t, w.nodes["n1"].ns, "ip route add 198.51.100.0/24 dev "+name)
	run(t, w.nodes["n3"].ns, "ip addr add 198.51.100.1/24 dev lo")
	if got := ask(w.pods["p1"], "198.51.100.1:9000"); strings.Contains(got, "sees") {
		t.Errorf("a node's own address is reached: %s", got)
	}
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
