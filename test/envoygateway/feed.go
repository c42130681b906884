// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// Exporter is a cluster that exports a service.
type Exporter struct {
	Cluster string
	// Address is its export address.
	Address string
	// Ready is false for a cluster that is lost.
	Ready bool
}

// Feed writes the EndpointSlice of an import for one exporter, as the reconciler
// does. An exporter that is lost stays, not ready, so that its share is known to
// be lost.
func (s *Server) Feed(t testing.TB, serviceImport *unstructured.Unstructured, from Exporter) {
	t.Helper()
	var in v1beta1.ServiceImport
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(serviceImport.Object, &in); err != nil {
		t.Fatal(err)
	}
	var ports []any
	for _, p := range in.Spec.Ports {
		ports = append(ports, map[string]any{"name": p.Name, "port": int64(p.Port), "protocol": string(p.Protocol)})
	}
	slice := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": map[string]any{"namespace": in.Namespace, "name": in.Name + "-" + from.Cluster, "labels": map[string]any{
			v1beta1.LabelServiceName: in.Name, v1beta1.LabelSourceCluster: from.Cluster, "endpointslice.kubernetes.io/managed-by": "fairlead.dev",
		}},
		"ports":     ports,
		"endpoints": []any{map[string]any{"addresses": []any{from.Address}, "conditions": map[string]any{"ready": from.Ready}}},
	}}
	s.Apply(t, slice)
	s.fed, s.made = append(s.fed, slice), append(s.made, slice)
}

// nudge touches the endpoints that were fed last. On a busy machine Envoy
// Gateway 1.9 sometimes keeps the verdict that it reached before it saw them,
// until something else happens; endpoints are written again all the time where
// there is a feed.
func (s *Server) nudge(t testing.TB) {
	t.Helper()
	if len(s.fed) == 0 {
		return
	}
	last := s.fed[len(s.fed)-1].DeepCopy()
	s.nudges++
	last.SetAnnotations(map[string]string{"fairlead.dev/nudge": strconv.Itoa(s.nudges)})
	s.Apply(t, last)
}
