// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// A model is a fleet, its policies and a world, small enough to be made by
// chance, cut down and printed.
type model struct {
	clusters []cluster
	// set are fields of the ClusterSet, one on each line.
	set      []string
	policies []policy
	lost     []string
	health   []health
}

type cluster struct {
	name, region, zone, provider, discovery string
	// shared: the istiod of the first cluster configures all; flat: they are in one
	// network. trust is the trust domain; empty for one of its own.
	shared, flat bool
	trust        string
	// state is empty for active.
	state string
	// gateways is the number of addresses of the east-west gateway.
	gateways int
	// pods are the versions of each service that run here.
	pods map[string][]string
	// says are the appProtocols of each service's ports here; none: the Service
	// has none.
	says map[string][]string
}

type policy struct {
	service string
	// protocols of ports 80, 81, …
	protocols        []string
	exports, imports []string
	rules            []rule
	minHealthy       string
	accepted         []string
	// more are other fields of the policy, one on each line.
	more []string
	// headless: the Service is. unnamed: the names of its ports say nothing.
	headless, unnamed bool
}

type rule struct {
	matches  []string
	backends []backend
	// more are other fields of the rule, one on each line.
	more []string
}

type backend struct {
	cluster, version string
	weight, priority int
	// service and port are empty for the policy's own and for the called one.
	service string
	port    int
}

type health struct {
	cluster, service, version string
	percent                   int64
}

func (m model) world() simulate.World {
	out := simulate.World{Lost: m.lost}
	for _, h := range m.health {
		entry := simulate.Health{Cluster: h.cluster, Namespace: "shop", Service: h.service, Ready: big.NewRat(h.percent, 100)}
		if h.version != "" {
			entry.Labels = map[string]string{"version": h.version}
		}
		out.Health = append(out.Health, entry)
	}
	return out
}

func (m model) files() fstest.MapFS {
	var set strings.Builder
	fmt.Fprintf(&set, "apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: prod}\nspec:\n")
	for _, line := range m.set {
		fmt.Fprintf(&set, "  %s\n", line)
	}
	set.WriteString("  clusters:\n")
	for i, c := range m.clusters {
		fmt.Fprintf(&set, "  - {name: %s, region: %q, zone: %q, state: %q, %s}\n", c.name, c.region, c.zone, c.state, c.text(i))
	}
	out := fstest.MapFS{"set.yaml": {Data: []byte(strings.NewReplacer(`region: "", `, "", `zone: "", `, "", `state: "", `, "").Replace(set.String()))}}
	for _, p := range m.policies {
		out[p.service+".yaml"] = &fstest.MapFile{Data: []byte(p.text())}
	}
	return out
}

func (c cluster) text(i int) string {
	switch c.provider {
	case "fairlead":
		return "gateways: [{name: gw, node: n}]"
	case "envoy-gateway":
		return "providers: {eastWest: fairlead, northSouth: envoy-gateway}, gateways: [{name: gw, node: n}]"
	case "cilium":
		return fmt.Sprintf("providers: {eastWest: cilium, discovery: %s}", c.discovery)
	}
	var addresses []string
	for j := range c.gateways {
		addresses = append(addresses, fmt.Sprintf("192.0.2.%d", 10*(i+1)+j))
	}
	gateway := ""
	if len(addresses) > 0 {
		gateway = fmt.Sprintf(", eastWestGateway: {addresses: [%s]}", strings.Join(addresses, ", "))
	}
	if c.shared {
		network := fmt.Sprintf("shared-%d", i)
		if c.flat {
			network = "shared-flat"
		}
		return fmt.Sprintf("providers: {eastWest: istio}, istio: {trustDomain: set.local, controlPlane: c1, network: %s%s}", network, gateway)
	}
	tunnel, gateways := "", ""
	if len(addresses) == 0 {
		tunnel, gateways = ", tunnel: fairlead", ", gateways: [{name: gw, node: n}]"
	}
	return fmt.Sprintf("providers: {eastWest: istio, northSouth: istio%s}, istio: {trustDomain: %s%s}%s", tunnel, cmp.Or(c.trust, c.name+".local"), gateway, gateways)
}

func (p policy) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: %s, namespace: shop}\nspec:\n  service:\n    name: %s\n    ports:\n", p.service, p.service)
	for i, protocol := range p.protocols {
		fmt.Fprintf(&b, "    - {port: %d, protocol: %s}\n", 80+i, protocol)
	}
	if len(p.exports) > 0 {
		fmt.Fprintf(&b, "  exports: {from: {clusters: [%s]}}\n", strings.Join(p.exports, ", "))
	}
	if len(p.imports) > 0 {
		fmt.Fprintf(&b, "  imports: {to: {clusters: [%s]}}\n", strings.Join(p.imports, ", "))
	}
	if len(p.rules) > 0 {
		b.WriteString("  rules:\n")
	}
	for i, r := range p.rules {
		fmt.Fprintf(&b, "  - name: r%d\n%s", i, r.text())
	}
	if p.minHealthy != "" {
		fmt.Fprintf(&b, "  failover: {minHealthy: %s}\n", p.minHealthy)
	}
	for _, line := range p.more {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if len(p.accepted) > 0 {
		b.WriteString("  acceptDegradations:\n")
	}
	for _, a := range p.accepted {
		fmt.Fprintf(&b, "  - %s\n", a)
	}
	return b.String()
}

func (r rule) text() string {
	var b strings.Builder
	if len(r.matches) > 0 {
		fmt.Fprintf(&b, "    matches: [%s]\n", strings.Join(r.matches, ", "))
	}
	if len(r.backends) > 0 {
		b.WriteString("    backends:\n")
	}
	for _, x := range r.backends {
		subset := ""
		if x.version != "" {
			subset = fmt.Sprintf(", subset: {version: %s}", x.version)
		}
		if x.service != "" {
			subset += ", service: " + x.service
		}
		if x.port != 0 {
			subset += fmt.Sprintf(", port: %d", x.port)
		}
		fmt.Fprintf(&b, "    - {cluster: %s%s, weight: %d, priority: %d}\n", x.cluster, subset, x.weight, x.priority)
	}
	for _, line := range r.more {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	return b.String()
}

// inventory is what is observed: everything.
func (m model) inventory() inventory.Inventory {
	kinds := []string{"Dataplane.fairlead.dev", "ServiceRoute.fairlead.dev", "ServiceExport.multicluster.x-k8s.io", "ServiceImport.multicluster.x-k8s.io"}
	for _, k := range []string{"VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "Sidecar"} {
		kinds = append(kinds, k+".networking.istio.io")
	}
	for _, k := range []string{"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"} {
		kinds = append(kinds, k+".security.istio.io")
	}
	kinds = append(kinds, "CiliumNetworkPolicy.cilium.io")
	for _, k := range []string{"HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute", "ReferenceGrant"} {
		kinds = append(kinds, k+".gateway.networking.k8s.io")
	}
	for _, k := range []string{"Backend", "BackendTrafficPolicy", "SecurityPolicy", "HTTPRouteFilter"} {
		kinds = append(kinds, k+".gateway.envoyproxy.io")
	}
	out := inventory.Inventory{}
	for i, c := range m.clusters {
		facts := inventory.Cluster{Name: c.name, Namespaces: []string{"shop", "default", "istio-system"}, Kinds: kinds}
		if c.provider == "istio" {
			facts.Istio = "1.31.1"
		} else if c.provider == "cilium" {
			facts.Cilium = "1.19.4"
		}
		key := []byte(strings.Repeat("A", 43) + "=")
		key[0] = byte('B' + i)
		facts.Nodes = []inventory.Node{{Name: "n", PublicKey: string(key), Addresses: []string{fmt.Sprintf("198.51.100.%d", i+1)}}}
		for _, p := range m.policies {
			if versions, ok := c.pods[p.service]; ok {
				facts.Services = append(facts.Services, p.observed(versions, c.says[p.service]))
			}
		}
		out.Clusters = append(out.Clusters, facts)
	}
	return out
}

func (p policy) observed(versions, says []string) inventory.Service {
	out := inventory.Service{Name: inventory.Name{Namespace: "shop", Name: p.service}, Selector: map[string]string{"app": p.service}, Headless: p.headless}
	for i, protocol := range p.protocols {
		transport := "TCP"
		if protocol == "udp" {
			transport = "UDP"
		}
		port := inventory.Port{Name: fmt.Sprintf("%s-%d", protocol, i), Port: int32(80 + i), TargetPort: int32(8080 + i), Transport: transport}
		if p.unnamed {
			port.Name = fmt.Sprintf("p-%d", i)
		}
		if i < len(says) {
			port.AppProtocol = says[i]
		}
		out.Ports = append(out.Ports, port)
	}
	for _, v := range versions {
		out.Workloads = append(out.Workloads, inventory.Workload{Labels: map[string]string{"app": p.service, "version": v}, ServiceAccount: p.service + "-" + v, Sidecar: true})
	}
	return out
}

// String prints everything that is needed to see a fault again.
func (m model) String() string {
	var b strings.Builder
	files := m.files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, files[name].Data)
	}
	b.WriteString("-- world --\n")
	for _, c := range m.clusters {
		fmt.Fprintf(&b, "pods in %s: %v\n", c.name, c.pods)
		for _, service := range slices.Sorted(maps.Keys(c.says)) {
			fmt.Fprintf(&b, "appProtocols of %s in %s: %q\n", service, c.name, c.says[service])
		}
	}
	for _, p := range m.policies {
		if p.headless {
			fmt.Fprintf(&b, "headless: %s\n", p.service)
		}
		if p.unnamed {
			fmt.Fprintf(&b, "port names say nothing: %s\n", p.service)
		}
	}
	fmt.Fprintf(&b, "lost: %v\n", m.lost)
	for _, h := range m.health {
		fmt.Fprintf(&b, "health: %s %s %s %d%%\n", h.cluster, h.service, h.version, h.percent)
	}
	return b.String()
}
