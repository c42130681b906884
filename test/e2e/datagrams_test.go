// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/test/world"
)

// datagrams is a service of the probes for one cluster, which nobody exports.
const datagrams = `apiVersion: v1
kind: Service
metadata: {name: probe, namespace: guestbook}
spec: {selector: {app: probe}, ports: [{port: 8080, protocol: UDP}]}
---
apiVersion: fairlead.dev/v1alpha1
kind: ServiceRoute
metadata: {name: probe, namespace: guestbook}
spec:
  service: probe
  ports: [{port: 8080, transport: UDP}]
  import: {addresses: [243.0.0.77], minHealthy: 71, tiers: [{backends: [{cluster: local-cluster, weight: 1}]}]}
`

// testDatagrams: one socket's datagrams go to another endpoint when theirs is
// gone.
func testDatagrams(ctx context.Context, t *testing.T, n *network) {
	cluster := n.Lab.Cluster(world.Local)
	if err := cluster.Apply(ctx, []byte(datagrams)); err != nil {
		t.Fatal(err)
	}
	visitor, err := cluster.PodNS(world.Namespace, world.Visitor)
	if err != nil {
		t.Fatal(err)
	}
	c, err := visitor.DialContext(ctx, "udp", "243.0.0.77:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first := answerBy(t, c, func(string) bool { return true })
	if err := cluster.Client().CoreV1().Pods(world.Namespace).Delete(ctx, first, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	answerBy(t, c, func(pod string) bool { return pod != first })
	t.Logf("another endpoint answers after %s", time.Since(begun).Round(time.Millisecond))
}

// answerBy sends datagrams until one is answered by a pod that will do, and
// returns its name.
func answerBy(t *testing.T, c net.Conn, will func(pod string) bool) string {
	t.Helper()
	const patience = 50 * time.Millisecond
	buf := make([]byte, 1024)
	for begun := time.Now(); time.Since(begun) < 2*mendLimit; {
		_, _ = c.Write([]byte("1"))
		_ = c.SetReadDeadline(time.Now().Add(patience))
		k, _ := c.Read(buf)
		if fields := strings.Fields(string(buf[:k])); len(fields) > 1 {
			if pod := strings.TrimPrefix(fields[1], "pod="); will(pod) {
				return pod
			}
		}
	}
	t.Fatal("no other endpoint answers")
	return ""
}
