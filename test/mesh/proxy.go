// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
)

// istioVersion is what the proxies say they are.
const istioVersion = "1.31.0"

// pod finds a pod.
func (w *World) pod(t testing.TB, cluster, namespace, name string) Pod {
	t.Helper()
	for _, p := range w.Pods {
		if p.Cluster == cluster && p.Namespace == namespace && p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no pod %s/%s in %s", namespace, name, cluster)
	return Pod{}
}

// read asks the istiod of the pod's mesh as the pod's proxy.
func (w *World) read(t testing.TB, p Pod) Config {
	t.Helper()
	mesh, kind := w.mesh(p.Cluster), "sidecar"
	if p.gateway {
		kind = "router"
	}
	metadata := map[string]any{
		"CLUSTER_ID": p.Cluster, "NETWORK": mesh.Network, "NAMESPACE": p.Namespace, "NAME": p.Name, "LABELS": p.Labels,
		"SERVICE_ACCOUNT": p.Account, "ISTIO_VERSION": istioVersion, "MESH_ID": "test", "INTERCEPTION_MODE": "REDIRECT",
	}
	if p.Name == gatewayName {
		// Istio installs east-west gateways with it (Helm's networkGateway): they
		// pass nobody on to other networks.
		metadata["REQUESTED_NETWORK_VIEW"] = mesh.Network
	}
	node := must(json.Marshal(map[string]any{"metadata": metadata,
		"id": fmt.Sprintf("%s~%s~%s.%s~%s.svc.cluster.local", kind, p.IP, p.Name, p.Namespace, p.Namespace)}))(t)
	cmd := exec.Command(store(t).Path("xdsread"), "--address", w.istiods[mesh.ControlPlane].grpc, "--node", string(node), "--timeout", "30s")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("read as %s/%s in %s: %v: %s", p.Namespace, p.Name, p.Cluster, err, stderr.String())
	}
	var out Config
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	out.raw = text
	return out
}
