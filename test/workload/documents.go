// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// kinds are those that Fairlead writes.
func kinds() []string {
	return []string{
		"AppliedBundle.fairlead.dev", "Dataplane.fairlead.dev", "NodeState.fairlead.dev", "ServiceRoute.fairlead.dev",
		"ServiceExport.multicluster.x-k8s.io", "ServiceImport.multicluster.x-k8s.io",
		"AuthorizationPolicy.security.istio.io", "PeerAuthentication.security.istio.io",
		"DestinationRule.networking.istio.io", "Gateway.networking.istio.io", "ServiceEntry.networking.istio.io",
		"Sidecar.networking.istio.io", "VirtualService.networking.istio.io", "WorkloadEntry.networking.istio.io",
	}
}

func nodeOf(cluster int) string { return clusterName(cluster) + "-node-1" }

// underlay is where a cluster's gateway is reached. Clusters are fewer than the
// addresses of TEST-NET-1 (RFC 5737).
func underlay(cluster int) string { return fmt.Sprintf("192.0.2.%d", 1+cluster) }

// publicKey is a made-up key of 32 bytes.
func publicKey(cluster int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "a made-up key of 32 bytes, %05d", cluster))
}

func clusterSet(size Size) []byte {
	var b bytes.Buffer
	b.WriteString("# Every second cluster runs Istio, the others are joined by tunnels.\n" +
		"apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata:\n  name: fleet\nspec:\n  clusters:\n")
	for i := range size.Clusters {
		fmt.Fprintf(&b, "  - name: %s\n    region: region-%d\n    labels: {stage: production}\n", clusterName(i), i%5)
		// 64 of 100.64.0.0/10 (RFC 6598) for each cluster's ClusterIPs.
		fmt.Fprintf(&b, "    network:\n      podCIDRs: [10.%d.0.0/16]\n      serviceCIDRs: [100.%d.%d.0/18]\n", i, 64+i/4, i%4*64)
		if meshed(i) {
			fmt.Fprintf(&b, "    providers: {eastWest: istio, tunnel: none}\n    istio:\n      trustDomain: %s.example\n"+
				"      eastWestGateway: {addresses: [%s]}\n", clusterName(i), underlay(i))
			continue
		}
		fmt.Fprintf(&b, "    gateways:\n    - {name: gw-1, node: %s}\n", nodeOf(i))
	}
	return b.Bytes()
}

// Policy returns an edition of a policy as YAML. Editions differ in their
// weights.
func (w Workload) Policy(policy, edition int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s is called from five clusters and runs in three.\napiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\n"+
		"metadata:\n  name: %s\n  namespace: %s\nspec:\n  service:\n    name: %s\n    ports:\n    - {port: 8080, protocol: %s}\n    - {port: 9090, protocol: %s}\n",
		serviceOf(policy), serviceOf(policy), namespaceOf(policy), serviceOf(policy), protocol(policy, "http"), protocol(policy, "grpc"))
	exporters := w.Exporters(policy)
	fmt.Fprintf(&b, "  exports:\n    from: {clusters: [%s]}\n  imports:\n    to: {clusters: [%s]}\n",
		strings.Join(exporters, ", "), strings.Join(w.Consumers(policy), ", "))
	if policy%2 == 1 {
		meshRules(&b, policy, edition, exporters)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "  rules:\n  - backends:\n    - {cluster: %s, weight: %d}\n    - {cluster: %s, weight: 10}\n    - {cluster: %s, priority: 1}\n",
		exporters[0], 90+edition%100, exporters[1], exporters[2])
	return b.Bytes()
}

// protocol is what a port of a policy speaks: tunnels carry connections.
func protocol(policy int, inMesh string) string {
	if policy%2 == 1 {
		return inMesh
	}
	return "tcp"
}

// meshRules writes the rules of a service in a mesh: every second one keeps one
// of its backends for a part of the requests.
func meshRules(b *bytes.Buffer, policy, edition int, exporters []string) {
	b.WriteString("  rules:\n")
	if policy%4 == 1 {
		fmt.Fprintf(b, "  - backends:\n    - {cluster: %s, weight: %d}\n    - {cluster: %s, weight: 10}\n    - {cluster: %s, priority: 1}\n",
			exporters[0], 90+edition%100, exporters[1], exporters[2])
	} else {
		fmt.Fprintf(b, "  - name: api\n    matches:\n    - path: {prefix: /api}\n      headers:\n      - {name: x-canary, exact: \"1\"}\n"+
			"    backends:\n    - {cluster: %s, subset: {version: v2}}\n", exporters[2])
		fmt.Fprintf(b, "  - name: rest\n    backends:\n    - {cluster: %s, weight: %d}\n    - {cluster: %s, weight: 20}\n", exporters[0], 80+edition%100, exporters[1])
	}
	b.WriteString("    timeout: 3s\n    retries: {attempts: 2, perTryTimeout: 1s, on: [connect-failure, refused-stream]}\n" +
		"  resilience:\n    outlierDetection: {consecutive5xx: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50}\n" +
		"  acceptDegradations:\n  - {name: gatewayHealth, provider: istio}\n")
}
