// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { Main(m) }

// bounded is a context for everything a test waits for.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start starts a lab that ends with the test.
func start(ctx context.Context, t *testing.T, config Config) *Lab {
	t.Helper()
	sandbox.Need(t)
	config.Progress = t.Output()
	l, err := Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// run runs a program in the client pod and returns what it wrote; its exit code
// does not matter.
func run(ctx context.Context, t *testing.T, c *Cluster, argv ...string) string {
	t.Helper()
	cmd, err := c.Command(ctx, "shop", "client", argv...)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// eventually polls until ctx ends.
func eventually(ctx context.Context, t *testing.T, check func() error) {
	t.Helper()
	for {
		err := check()
		if err == nil {
			return
		}
		if pause(ctx) != nil {
			t.Fatal(err)
		}
	}
}

// workload is a Deployment and a Service of netecho servers, and a client pod
// that does nothing, in their own namespace.
const workload = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: server, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: server}}
  template:
    metadata: {labels: {app: server}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: lab
        command: [netecho, serve]
        args: [--tcp, ":$(PORT)", --udp, ":$(PORT)"]
        env: [{name: PORT, value: "6379"}]
        ports: [{name: redis, containerPort: 6379}]
        readinessProbe: {tcpSocket: {port: redis}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: shop}
spec:
  selector: {app: server}
  ports: [{name: tcp, port: 80, targetPort: redis}, {name: udp, port: 80, protocol: UDP, targetPort: 6379}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: lab, command: [sleep, infinity]}
`

// TestLab is one lab of two clusters with the same pod and service addresses,
// and everything that a lab promises.
func TestLab(t *testing.T) {
	ctx := bounded(t)
	pods, services := []netip.Prefix{netip.MustParsePrefix("10.128.0.0/14")}, []netip.Prefix{netip.MustParsePrefix("172.30.0.0/16")}
	l := start(ctx, t, Config{Clusters: []ClusterConfig{
		{Name: "east", PodCIDRs: pods, ServiceCIDRs: services, Nodes: Nodes(2)},
		{Name: "west", PodCIDRs: pods, ServiceCIDRs: services},
	}})
	for _, c := range l.Clusters() {
		if err := c.Apply(ctx, []byte(workload)); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		run  func(context.Context, *testing.T, *Lab)
	}{
		{"services answer", checkServices},
		{"nodes are registered", checkNodes},
		{"what leaves has the node's address", checkMasquerade},
		{"links", checkLinks},
		{"the API server is reached from pods", checkAPIFromPod},
		{"a dead container is started again", checkRestart},
		{"scaling down removes pods", checkDeletion},
		{"an outage of the API server", checkOutage},
		{"one kubeconfig", checkKubeconfig},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(bounded(t), t, l) }) {
			return
		}
	}
}

// checkServices asks each cluster's Service from its client pod: the answers
// come from both of that cluster's servers and from no other.
func checkServices(ctx context.Context, t *testing.T, l *Lab) {
	for _, c := range l.Clusters() {
		servers, err := c.WaitPods(ctx, "shop", "app=server", 2)
		if err != nil {
			t.Fatal(err)
		}
		clients, err := c.WaitPods(ctx, "shop", "app=client", 1)
		if err != nil {
			t.Fatal(err)
		}
		svc, err := c.Client().CoreV1().Services("shop").Get(ctx, "server", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		eventually(ctx, t, func() error {
			out := run(ctx, t, c, "netecho", "call", "--address", svc.Spec.ClusterIP+":80", "--count", "20")
			for _, s := range servers {
				want := fmt.Sprintf("pod=%s cluster=%s peer=%s\n", s.Name, c.Name, clients[0].Status.PodIP)
				if !strings.Contains(out, want) || strings.Contains(out, "failed") {
					return fmt.Errorf("%s said %q, want among it %q", c.Name, out, want)
				}
			}
			return nil
		})
		out := run(ctx, t, c, "netecho", "stream", "--address", svc.Spec.ClusterIP+":80", "--count", "20", "--interval", "1ms")
		if !strings.HasPrefix(out, "sent=20 answered=20 ") {
			t.Errorf("UDP: %s", out)
		}
		checkSlices(ctx, t, c, servers)
	}
}

// checkSlices compares the Service's EndpointSlices with its pods.
func checkSlices(ctx context.Context, t *testing.T, c *Cluster, servers []corev1.Pod) {
	list, err := c.Client().DiscoveryV1().EndpointSlices("shop").
		List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=server"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, s := range servers {
		want[s.Status.PodIP] = s.Spec.NodeName
	}
	got := map[string]string{}
	for _, s := range list.Items {
		for _, e := range s.Endpoints {
			if *e.Conditions.Ready {
				got[e.Addresses[0]] = *e.NodeName
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: endpoints %v, want %v", c.Name, got, want)
	}
}

func checkNodes(ctx context.Context, t *testing.T, l *Lab) {
	east := l.Cluster("east")
	nodes, err := east.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes.Items {
		got = append(got, n.Name, n.Status.Addresses[0].Address, n.Spec.PodCIDR)
	}
	want := "worker-1 192.0.2.11 10.128.0.0/24 worker-2 192.0.2.12 10.128.1.0/24"
	if strings.Join(got, " ") != want {
		t.Errorf("nodes %v, want %s", got, want)
	}
	servers, err := east.WaitPods(ctx, "shop", "app=server", 2)
	if err != nil {
		t.Fatal(err)
	}
	if servers[0].Spec.NodeName == servers[1].Spec.NodeName {
		t.Errorf("both servers are on %s", servers[0].Spec.NodeName)
	}
}

// checkMasquerade calls a server on the other cluster's node from a pod.
func checkMasquerade(ctx context.Context, t *testing.T, l *Lab) {
	east, west := l.Cluster("east"), l.Cluster("west")
	client, err := east.Client().CoreV1().Pods("shop").Get(ctx, "client", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(ctx, t, west.Node("worker-1"), "192.0.2.21:7000")
	defer stop()
	want := "pod= cluster= peer=" + client.Status.HostIP
	eventually(ctx, t, func() error {
		out := run(ctx, t, east, "netecho", "call", "--address", "192.0.2.21:7000")
		if !strings.Contains(out, want) {
			return fmt.Errorf("said %q, want %q", out, want)
		}
		return nil
	})
}

// serve runs netecho on a node until the returned function is called.
func serve(ctx context.Context, t *testing.T, n *Node, address string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	cmd := n.Command(ctx, "netecho", "serve", "--tcp", address, "--udp", address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() { cancel(); _ = cmd.Wait() }
}

// checkLinks calls one node from another over a link that is cut, slow, whole.
func checkLinks(ctx context.Context, t *testing.T, l *Lab) {
	from, to := l.Cluster("east").Node("worker-1"), l.Cluster("west").Node("worker-1")
	stop := serve(ctx, t, to, "192.0.2.21:7001")
	defer stop()
	call := func(want string) {
		t.Helper()
		eventually(ctx, t, func() error {
			out, _ := from.Command(ctx, "netecho", "call", "--address", "192.0.2.21:7001", "--timeout", "300ms").CombinedOutput()
			if !strings.Contains(string(out), want) {
				return fmt.Errorf("said %q, want %q", out, want)
			}
			return nil
		})
	}
	call("peer=192.0.2.11")
	u := l.Underlay()
	if err := u.Cut(from.FullName(), to.FullName()); err != nil {
		t.Fatal(err)
	}
	call("failed: timeout")
	if err := u.Restore(from.FullName(), to.FullName()); err != nil {
		t.Fatal(err)
	}
	const delay = 50 * time.Millisecond
	if err := u.Delay(from.FullName(), to.FullName(), delay); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	call("peer=192.0.2.11")
	if took := time.Since(begin); took < 4*delay { // two round trips: SYN, then the line
		t.Errorf("a call took %s over a link of %s", took, delay)
	}
	if err := u.Restore(from.FullName(), to.FullName()); err != nil {
		t.Fatal(err)
	}
}

// checkAPIFromPod connects to the Service kubernetes.
func checkAPIFromPod(ctx context.Context, t *testing.T, l *Lab) {
	for _, c := range l.Clusters() {
		ns, err := c.PodNS("shop", "client")
		if err != nil {
			t.Fatal(err)
		}
		config := c.RESTConfig()
		config.Host, config.Dial = "https://172.30.0.1", ns.DialContext
		if _, err := clientOf(t, config).CoreV1().Nodes().Get(ctx, "worker-1", metav1.GetOptions{}); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// checkKubeconfig uses the file from a node.
func checkKubeconfig(ctx context.Context, t *testing.T, l *Lab) {
	for _, c := range l.Clusters() {
		config := configOf(t, l.Kubeconfig(), c.Name)
		config.Dial = c.Node("worker-1").NS.DialContext
		pods, err := clientOf(t, config).CoreV1().Pods("shop").List(ctx, metav1.ListOptions{LabelSelector: "app=client"})
		if err != nil || len(pods.Items) != 1 {
			t.Errorf("%s: %v, %v", c.Name, pods, err)
		}
	}
	if info, err := os.Stat(l.Kubeconfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
