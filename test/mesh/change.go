// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SetReady makes a pod ready or not, as a kubelet and a controller manager
// would.
func (w *World) SetReady(t testing.TB, p Pod, ready bool) {
	t.Helper()
	client, namespace, name := w.client(t, p.Cluster), p.Namespace, p.Name
	for i := range w.Pods {
		if w.Pods[i].IP != p.IP {
			continue
		}
		w.Pods[i].Ready = ready
		_, status := w.Pods[i].object()
		o := must(client.CoreV1().Pods(namespace).Get(context.Background(), name, metav1.GetOptions{}))(t)
		o.Status = status
		must(client.CoreV1().Pods(namespace).UpdateStatus(context.Background(), o, metav1.UpdateOptions{}))(t)
		slices := client.DiscoveryV1().EndpointSlices(namespace)
		s := must(slices.Get(context.Background(), p.service+"-1", metav1.GetOptions{}))(t)
		for j := range s.Endpoints {
			if s.Endpoints[j].Addresses[0] == p.IP {
				s.Endpoints[j].Conditions = conditions(ready)
			}
		}
		must(slices.Update(context.Background(), s, metav1.UpdateOptions{}))(t)
	}
}

// settle bounds how long a control plane may take to send what was changed; it
// collects changes for a tenth of a second.
const settle = 30 * time.Second

// eventually asks until the answer is empty, and fails with the last one.
func eventually(t testing.TB, ask func() string) {
	t.Helper()
	deadline := time.Now().Add(settle)
	for {
		why := ask()
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Error(why)
			return
		}
	}
}
