// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/lab/netecho"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/world"
)

// network is a world with two nodes in each cluster, and a pod on each node.
type network struct {
	*world.World
	t *testing.T
	// probes are the pods' addresses by the names of their nodes.
	probes map[string]string
	// before is each node's dump before it had an agent.
	before map[string][]string
}

// probePort is where the probes answer, TCP and UDP.
const probePort = 8080

// newNetwork starts it.
func newNetwork(ctx context.Context, t *testing.T) *network {
	t.Helper()
	n := &network{startNodes(ctx, t, 2, false), t, map[string]string{}, map[string][]string{}}
	for _, c := range n.Lab.Clusters() {
		for _, node := range c.Nodes() {
			n.before[node.Name] = dump(ctx, t, node.NS)
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "probe-" + node.Name, Namespace: world.Namespace, Labels: map[string]string{"app": "probe"}},
				Spec: corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{Name: "probe", Image: "netecho",
					Command: []string{"netecho", "serve", "--tcp", fmt.Sprintf(":%d", probePort), "--udp", fmt.Sprintf(":%d", probePort)}}}},
			}
			if _, err := c.Client().CoreV1().Pods(world.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	runAgents(ctx, t, n.World)
	agents, _ := n.agents()
	for _, a := range agents {
		awaitLog(t, a, 0, "msg=ready") // reconcile waits for the gateways' alone
	}
	for _, c := range n.Lab.Clusters() {
		pods, err := c.WaitPods(ctx, world.Namespace, "app=probe", len(c.Nodes()))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pods {
			n.probes[p.Spec.NodeName] = p.Status.PodIP
		}
	}
	// An agent is ready before it knows the other cluster's gateway as well.
	for _, c := range n.Lab.Clusters() {
		for from := range c.Nodes() {
			for to := range c.Nodes() {
				eventually(ctx, t, n.probe(c.Name, from), n.probeAddress(other(c.Name), to), "cluster="+other(c.Name))
			}
		}
	}
	return n
}

// node is a cluster's node, from 0, which is the gateway.
func (n *network) node(cluster string, i int) *lab.Node { return n.Lab.Cluster(cluster).Nodes()[i] }

// probe is the namespace of the pod on a node.
func (n *network) probe(cluster string, i int) *netns.NS {
	n.t.Helper()
	ns, err := n.Lab.Cluster(cluster).PodNS(world.Namespace, "probe-"+world.NodeName(cluster, i))
	if err != nil {
		n.t.Fatal(err)
	}
	return ns
}

// probeAddress is the address and port of the pod on a node.
func (n *network) probeAddress(cluster string, i int) string {
	return fmt.Sprintf("%s:%d", n.probes[world.NodeName(cluster, i)], probePort)
}

// service is a clusterset IP with its port, as a cluster sees it.
func (n *network) service(cluster, name string) string {
	n.t.Helper()
	port := 6379
	if name == "frontend" {
		port = 80
	}
	address, err := n.ClusterSetIP(n.t.Context(), cluster, name, port)
	if err != nil {
		n.t.Fatal(err)
	}
	return address
}

// link is the link between the two gateways.
func (n *network) link() (a, b string) {
	return n.node(world.Local, 0).FullName(), n.node(world.Managed, 0).FullName()
}

// call is one connection: the answer, or why there is none.
func call(ctx context.Context, from *netns.NS, address string, patience time.Duration) string {
	tally := netecho.Call(ctx, from.DialContext, address, 1, patience)
	for answer := range tally.Answers {
		return answer
	}
	for reason := range tally.Failures {
		return "failed: " + reason
	}
	return "nothing"
}

// eventually calls until the answer holds a text, and returns the time it took.
func eventually(ctx context.Context, t *testing.T, from *netns.NS, address, want string) time.Duration {
	t.Helper()
	const limit, patience = 45 * time.Second, 200 * time.Millisecond
	begun := time.Now()
	got := ""
	for time.Since(begun) < limit && ctx.Err() == nil {
		if got = call(ctx, from, address, patience); strings.Contains(got, want) {
			return time.Since(begun)
		}
	}
	t.Errorf("%s → %s: %q, not %q", from.Name(), address, got, want)
	return time.Since(begun)
}

// other is the other cluster.
func other(cluster string) string {
	if cluster == world.Local {
		return world.Managed
	}
	return world.Local
}

// TestNetwork is one world for all that leaves it as it was.
func TestNetwork(t *testing.T) {
	ctx := bounded(t)
	n := newNetwork(ctx, t)
	for _, story := range []struct {
		name string
		test func(context.Context, *testing.T, *network)
	}{
		{"every node reaches the other cluster", testReach},
		{"agents end and start again", testAgentsEnd},
		{"a link is cut", testCut},
		{"a link loses packets", testLossy},
		{"large transfers", testTransfer},
	} {
		t.Run(story.name, func(t *testing.T) { story.test(ctx, t, n) })
	}
}

func testReach(ctx context.Context, t *testing.T, n *network) {
	exported := map[string]string{world.Local: "redis-follower", world.Managed: "redis-leader"}
	for cluster, service := range exported {
		far := other(cluster)
		tunnel := n.tunnelAddress(cluster)
		for i := range 2 {
			own := n.probes[world.NodeName(cluster, i)]
			eventually(ctx, t, n.probe(cluster, i), n.service(cluster, service), "cluster="+far+" peer="+own)
			eventually(ctx, t, n.node(cluster, i).NS, n.service(cluster, service), "cluster="+far+" peer="+tunnel)
			for j := range 2 {
				eventually(ctx, t, n.probe(cluster, i), n.probeAddress(far, j), "cluster="+far+" peer="+own)
				eventually(ctx, t, n.node(cluster, i).NS, n.probeAddress(far, j), "cluster="+far+" peer="+tunnel)
			}
		}
	}
}

// tunnelAddress is what the other cluster sees of a cluster's nodes.
func (n *network) tunnelAddress(cluster string) string {
	n.t.Helper()
	client, err := n.Dynamic(cluster)
	if err != nil {
		n.t.Fatal(err)
	}
	d, err := client.Resource(world.Dataplanes).Get(n.t.Context(), "guestbook", metav1.GetOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	gateways := d.Object["spec"].(map[string]any)["gateways"].([]any)
	return gateways[0].(map[string]any)["tunnelAddress"].(string)
}

// agents are all agents, and the end of each one's log so far.
func (n *network) agents() (agents []*world.Agent, read []int) {
	for _, c := range n.Lab.Clusters() {
		for i := range c.Nodes() {
			a := n.Agent(world.NodeName(c.Name, i))
			agents, read = append(agents, a), append(read, len(a.Log()))
		}
	}
	return agents, read
}

// testAgentsEnd ends all agents in each way during a stream over a slow link,
// which loses what a tunnel on loopback would hold back.
func testAgentsEnd(ctx context.Context, t *testing.T, n *network) {
	a, b := n.link()
	if err := n.Lab.Underlay().Delay(a, b, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Lab.Underlay().Restore(a, b) }()
	for name, end := range map[string]func(*world.Agent){
		"killed":     (*world.Agent).Kill,
		"terminated": func(a *world.Agent) { a.Terminate(ctx) },
		"upgraded": func(a *world.Agent) {
			if err := a.Replace(); err != nil {
				t.Error(err)
			}
			a.Kill()
		},
	} {
		t.Run(name, func(t *testing.T) {
			agents, read := n.agents()
			const count = 250
			lost := make(chan netecho.Loss, 1)
			go func() {
				loss, err := netecho.Stream(ctx, n.probe(world.Local, 1).DialContext, n.probeAddress(world.Managed, 1), 10*time.Millisecond, count)
				if err != nil {
					t.Error(err)
				}
				lost <- loss
			}()
			for _, a := range agents {
				end(a)
			}
			eventually(ctx, t, n.probe(world.Local, 1), n.service(world.Local, "redis-follower"), "cluster=")
			if err := n.RestartAgents(); err != nil {
				t.Fatal(err)
			}
			for i, a := range agents {
				log := awaitLog(t, a, read[i], "msg=ready")
				if strings.Contains(log, "op=") {
					t.Errorf("an agent changed something:\n%s", log)
				}
			}
			loss := <-lost
			t.Log(loss)
			if loss.Lost() > 0 {
				t.Errorf("%d datagrams lost", loss.Lost())
			}
		})
	}
}

// awaitLog waits until an agent's log has a text after what was read, and
// returns that part.
func awaitLog(t *testing.T, a *world.Agent, read int, text string) string {
	t.Helper()
	var log string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if log = a.Log()[read:]; strings.Contains(log, text) {
			return log
		}
	}
	t.Fatalf("the agent does not say %q:\n%s", text, log)
	return ""
}

// testCut cuts the link between the gateways for some seconds.
func testCut(ctx context.Context, t *testing.T, n *network) {
	a, b := n.link()
	from := n.probe(world.Local, 1)
	long, err := from.DialContext(ctx, "tcp", n.service(world.Local, "redis-follower"))
	if err != nil {
		t.Fatal(err)
	}
	defer long.Close()
	line(t, long)
	if err := n.Lab.Underlay().Cut(a, b); err != nil {
		t.Fatal(err)
	}
	const patience = 2 * time.Second
	for range 2 {
		if got := call(ctx, from, n.service(world.Local, "redis-follower"), patience); got != "failed: timeout" {
			t.Errorf("a call over the cut link: %s", got)
		}
	}
	if got := call(ctx, from, n.service(world.Local, "frontend"), patience); !strings.Contains(got, "cluster="+world.Local) {
		t.Errorf("a service that is in the cluster too: %s", got)
	}
	if err := n.Lab.Underlay().Restore(a, b); err != nil {
		t.Fatal(err)
	}
	t.Logf("new connections %s after the end of a cut of 4 s",
		eventually(ctx, t, from, n.service(world.Local, "redis-follower"), "cluster="+world.Managed).Round(time.Millisecond))
	line(t, long)
}

// line sends a line and waits for its answer.
func line(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, err := fmt.Fprintln(c, "who")
	if err == nil {
		_, err = bufio.NewReader(c).ReadString('\n')
	}
	if err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
}

func testLossy(ctx context.Context, t *testing.T, n *network) {
	a, b := n.link()
	if err := n.Lab.Underlay().Drop(a, b, 0.3); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Lab.Underlay().Restore(a, b) }()
	tally := netecho.Call(ctx, n.probe(world.Local, 1).DialContext, n.service(world.Local, "redis-follower"), 5, 20*time.Second)
	if len(tally.Failures) > 0 {
		t.Errorf("with 30 %% loss: %v", tally)
	}
}

// transfer sends bytes to the pod of the managed cluster's second node and
// returns the rate in MB/s.
func transfer(ctx context.Context, t *testing.T, n *network, from *netns.NS) float64 {
	t.Helper()
	const size = 16 << 20
	address := n.probes[world.NodeName(world.Managed, 1)] + ":9000"
	l, err := n.probe(world.Managed, 1).Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan int, 1)
	go func() {
		total := 0
		c, err := l.Accept()
		for buf := make([]byte, 1<<16); err == nil; {
			var k int
			k, err = c.Read(buf)
			total += k
		}
		got <- total
	}()
	c, err := from.DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	begun := time.Now()
	_, err = c.Write(slices.Repeat([]byte{1}, size))
	c.Close()
	if total := <-got; total != size || err != nil {
		t.Errorf("%d of %d bytes from %s to %s: %v", total, size, from.Name(), address, err)
	}
	return size / time.Since(begun).Seconds() / 1e6
}

func testTransfer(ctx context.Context, t *testing.T, n *network) {
	for name, from := range map[string]*netns.NS{
		"a pod": n.probe(world.Local, 1), "the gateway": n.node(world.Local, 0).NS, "the other node": n.node(world.Local, 1).NS,
	} {
		t.Logf("%.0f MB/s from %s", transfer(ctx, t, n, from), name)
	}
}
