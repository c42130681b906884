// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// Before 1.31 a backend that is partly healthy gives up nothing, and the plan
// says so. (From 1.31 on it does what the policy means: hold checks it in every
// World.)
func TestBeforeUnreadyEndpointsAreSent(t *testing.T) {
	s := Open(t, "testdata/older.txtar")
	said := slices.ContainsFunc(s.Result.Pending, func(p compiler.Pending) bool {
		return p.Store == "m1" && strings.Contains(p.Message, "Istio 1.30.2 in m1 leaves out endpoints that are not ready")
	})
	if !said {
		t.Errorf("nobody is told what Istio 1.30.2 cannot do: %v", s.Result.Pending)
	}
	s.older = true
	w := Start(t, s)
	gone, left := w.pod(t, "m1", "shop", "web-0-0"), w.pod(t, "m1", "shop", "web-0-1")
	w.SetReady(t, gone, false)
	c := call{from: "m1/shop", Request: Request{URL: "http://web:80/"}}
	eventually(t, func() string {
		r := w.reader(t)
		config := r.config(w.caller(t, c))
		v, err := w.answer(t, config, c)
		if err != nil {
			return err.Error()
		}
		return differ(r.split(config, v, nil), shares{left.at(8080): 1})
	})
	onlyWhatIsExported(t, w)
}

// onlyWhatIsExported: a Service that comes later is not reachable, as all that
// were there; and a Gateway that lets everybody in, which is warned of, would be
// noticed.
func onlyWhatIsExported(t *testing.T, w *World) {
	late := inventory.Service{Name: inventory.Name{Namespace: "shop", Name: "late"}, Ports: []inventory.Port{{Name: "http", Port: 80, Transport: "TCP"}}}
	pod := Pod{Cluster: "m2", Namespace: "shop", Name: "late-0-0", IP: "10.129.9.9", Account: "late", Labels: map[string]string{tlsLabel: "istio"}, Ready: true, service: "late"}
	w.addService(t, "m2", late, []Pod{pod})
	eventually(t, func() string {
		if c := w.reader(t).config(w.caller(t, call{from: "m2/shop"})); len(c.assignment("outbound|80||late.shop.svc.cluster.local").Endpoints) == 0 {
			return "istiod never saw the Service that came later"
		}
		return ""
	})
	w.reader(t).onlyExports()
	everything := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
		"metadata": map[string]any{"namespace": w.mesh("m2").RootNamespace, "name": "everything"},
		"spec": map[string]any{"selector": map[string]any{"istio": "eastwestgateway"}, "servers": []any{map[string]any{
			"port": map[string]any{"number": int64(15443), "name": "tls", "protocol": "TLS"}, "tls": map[string]any{"mode": "AUTO_PASSTHROUGH"}, "hosts": []any{"*.local"}}}}}}
	gateways := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}
	must(w.servers["m2"].Dynamic(t).Resource(gateways).Namespace(everything.GetNamespace()).Create(context.Background(), everything, metav1.CreateOptions{}))(t)
	eventually(t, func() string {
		got := w.reader(t).reachable("m2", 15443)
		for _, want := range []string{"late.shop.svc.cluster.local:80", "secret.shop.svc.cluster.local:80"} {
			if !slices.Contains(got, want) {
				return fmt.Sprintf("with a Gateway for everything callers get to %v, not to %s", got, want)
			}
		}
		return ""
	})
}
