// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead/fairlead/test/lab/netecho"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/world"
)

// TestChanges is one world in which what is wanted changes.
func TestChanges(t *testing.T) {
	ctx := bounded(t)
	n := newNetwork(ctx, t)
	for _, story := range []struct {
		name string
		test func(context.Context, *testing.T, *network)
	}{
		{"every node reaches the other cluster", testReach},
		{"nothing to do costs nothing", testIdle},
		{"all endpoints go", testNoEndpoints},
		{"more endpoints, and fewer", testScale},
		{"the MTU of the underlay", testMTU},
		{"many changes of a route", testManyChanges},
		{"the API server restarts", testAPIServer},
		{"all routes are deleted", testNoRoutes},
		{"a datagram flow outlives its endpoint", testDatagrams},
		{"the agents leave", testLeave},
	} {
		t.Run(story.name, func(t *testing.T) { story.test(ctx, t, n) })
	}
}

// scale changes the replicas of a Deployment.
func (n *network) scale(ctx context.Context, cluster, name string, replicas int) {
	n.t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := n.Lab.Cluster(cluster).Client().AppsV1().Deployments(world.Namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
}

// testNoEndpoints: the other cluster serves while there is no local endpoint.
func testNoEndpoints(ctx context.Context, t *testing.T, n *network) {
	from, address := n.probe(world.Local, 1), n.service(world.Local, "frontend")
	eventually(ctx, t, from, address, "cluster="+world.Local)
	n.scale(ctx, world.Local, "frontend", 0)
	t.Logf("the other cluster serves after %s", eventually(ctx, t, from, address, "cluster="+world.Managed).Round(time.Millisecond))
	long, err := from.DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer long.Close()
	line(t, long)
	n.scale(ctx, world.Local, "frontend", 1)
	t.Logf("this cluster serves again after %s", eventually(ctx, t, from, address, "cluster="+world.Local).Round(time.Millisecond))
	line(t, long)
}

// testScale counts what fails of a stream of new connections.
func testScale(ctx context.Context, t *testing.T, n *network) {
	cluster := n.Lab.Cluster(world.Managed)
	selector := "role=follower"
	stream := func(change func()) netecho.Tally {
		running, stop := context.WithCancel(ctx)
		done := make(chan netecho.Tally, 1)
		go func() {
			all := netecho.Tally{Answers: map[string]int{}, Failures: map[string]int{}}
			for running.Err() == nil {
				one := netecho.Call(ctx, n.probe(world.Local, 1).DialContext, n.service(world.Local, "redis-follower"), 20, 3*time.Second)
				for k, v := range one.Answers {
					all.Answers[k] += v
				}
				for k, v := range one.Failures {
					all.Failures[k] += v
				}
			}
			done <- all
		}()
		change()
		stop()
		return <-done
	}
	to := func(replicas int) func() {
		return func() {
			n.scale(ctx, world.Managed, "redis-follower", replicas)
			if _, err := cluster.WaitPods(ctx, world.Namespace, selector, replicas); err != nil {
				t.Error(err)
			}
		}
	}
	tally := stream(to(5))
	t.Logf("to five:\n%v", tally)
	if len(tally.Failures) > 0 {
		t.Errorf("connections failed while endpoints were added: %v", tally.Failures)
	}
	tally = stream(to(1))
	t.Logf("back to one:\n%v", tally)
}

// dontFragment is a datagram socket whose datagrams may not be fragmented.
func dontFragment(ctx context.Context, t *testing.T, from *netns.NS, address string) net.Conn {
	t.Helper()
	c, err := from.DialContext(ctx, "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	setDontFragment(t, c)
	return c
}

// testMTU makes the underlay narrower; the tunnels follow, and nothing vanishes.
func testMTU(ctx context.Context, t *testing.T, n *network) {
	set := func(mtu int) {
		for _, c := range n.Lab.Clusters() {
			for _, node := range c.Nodes() {
				run(ctx, t, node.NS, fmt.Sprintf("ip link set mtu %d dev eth0", mtu))
			}
		}
	}
	defer set(1500)
	for _, underlay := range []int{1500, 1400} {
		set(underlay)
		inner := underlay - 60
		for _, c := range n.Lab.Clusters() {
			gateway := c.Nodes()[0]
			name := tunnel(ctx, t, gateway)
			want := fmt.Sprintf("mtu %d ", inner)
			for begun := time.Now(); !strings.Contains(run(ctx, t, gateway.NS, "ip link show dev "+name), want); {
				if time.Since(begun) > mendLimit {
					t.Fatalf("the tunnel does not follow an MTU of %d: %s", underlay, run(ctx, t, gateway.NS, "ip link show dev "+name))
				}
			}
		}
		testTransfer(ctx, t, n)
		for i := range 2 {
			c := dontFragment(ctx, t, n.probe(world.Local, i), n.probeAddress(world.Managed, 1))
			if got := learntMTU(t, c, inner-28+1); got != inner {
				t.Errorf("on an underlay of %d a pod of node %d learns the MTU %d, not %d", underlay, i+1, got, inner)
			}
			c.Close()
		}
	}
}

// usage is what a process has used and holds.
type usage struct{ ticks, files, threads int }

func used(t *testing.T, pid int) (u usage) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text)[strings.LastIndex(string(text), ")")+1:])
	var user, system int
	const userField, systemField, threadField = 11, 12, 17
	for field, to := range map[int]*int{userField: &user, systemField: &system, threadField: &u.threads} {
		if _, err := fmt.Sscan(fields[field], to); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	u.ticks, u.files = user+system, len(files)
	return u
}

// testIdle watches the agents while nothing happens.
func testIdle(ctx context.Context, t *testing.T, n *network) {
	agents, read := n.agents()
	before := make([]usage, len(agents))
	for i, a := range agents {
		before[i] = used(t, a.Pid())
	}
	const seconds = 4
	select {
	case <-time.After(seconds * time.Second):
	case <-ctx.Done():
	}
	for i, a := range agents {
		// A tick is a hundredth of a second.
		percent := float64(used(t, a.Pid()).ticks-before[i].ticks) / seconds
		t.Logf("agent %d: %.1f %% of a core", i, percent)
		if percent > 10 {
			t.Errorf("an idle agent takes %.1f %% of a core", percent)
		}
		if log := a.Log()[read[i]:]; log != "" {
			t.Errorf("an idle agent says: %s", log)
		}
	}
}

// testManyChanges changes a ServiceRoute many times.
func testManyChanges(ctx context.Context, t *testing.T, n *network) {
	client, err := n.Dynamic(world.Local)
	if err != nil {
		t.Fatal(err)
	}
	routes := client.Resource(world.ServiceRoutes).Namespace(world.Namespace)
	agent := n.Agent(world.NodeName(world.Local, 0))
	before := used(t, agent.Pid())
	o, err := routes.Get(ctx, "frontend", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tiers, _, err := unstructured.NestedSlice(o.Object, "spec", "import", "tiers")
	if err != nil || len(tiers) != 2 {
		t.Fatal(tiers, err)
	}
	far := tiers[1].(map[string]any)["backends"].([]any)[0].(map[string]any)["address"]
	const changes = 200
	for i := range changes {
		patch := fmt.Appendf(nil, `{"spec":{"import":{"tiers":[{"backends":[{"cluster":%q,"weight":1000},{"cluster":%q,"weight":%d,"address":%q}]}]}}}`,
			world.Local, world.Managed, changes-1-i, far)
		if _, err := routes.Patch(ctx, "frontend", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	const all = "0-9999 : "
	for begun := time.Now(); !strings.Contains(run(ctx, t, n.node(world.Local, 0).NS, "nft list map ip fairlead services"), "80 . "+all); {
		if time.Since(begun) > mendLimit {
			t.Fatal("the last of many changes did not arrive")
		}
	}
	eventually(ctx, t, n.probe(world.Local, 1), n.service(world.Local, "frontend"), "cluster="+world.Local)
	after := used(t, agent.Pid())
	t.Logf("before %+v, after %+v", before, after)
	if after.files > before.files+3 || after.threads > before.threads+5 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	reconcile(ctx, t, n.World, 0)
}

// testAPIServer restarts it while something changes.
func testAPIServer(ctx context.Context, t *testing.T, n *network) {
	cluster := n.Lab.Cluster(world.Local)
	n.scale(ctx, world.Local, "frontend", 2)
	cluster.StopAPIServer()
	for range 10 {
		if got := call(ctx, n.probe(world.Local, 1), n.service(world.Managed, "redis-follower"), 2*time.Second); !strings.Contains(got, "cluster=") {
			t.Errorf("without the API server: %s", got)
		}
	}
	if err := cluster.StartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	pods, err := cluster.WaitPods(ctx, world.Namespace, "tier=frontend", 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods {
		eventually(ctx, t, n.probe(world.Local, 1), n.service(world.Local, "frontend"), "pod="+p.Name)
	}
}

// testNoRoutes: deleting the ServiceRoutes is a newer wish, and complete.
func testNoRoutes(ctx context.Context, t *testing.T, n *network) {
	client, err := n.Dynamic(world.Local)
	if err != nil {
		t.Fatal(err)
	}
	address := n.service(world.Local, "redis-follower")
	from := n.probe(world.Local, 1)
	if err := client.Resource(world.ServiceRoutes).Namespace(world.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, from, address, "refused")
	eventually(ctx, t, from, n.probeAddress(world.Managed, 1), "cluster="+world.Managed)
	reconcile(ctx, t, n.World, 0)
	eventually(ctx, t, from, address, "cluster="+world.Managed)
}

// setDontFragment forbids to fragment, and to take the MTU for anything else
// than what the way says.
func setDontFragment(t *testing.T, c net.Conn) {
	t.Helper()
	control(t, c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
}

// learntMTU sends datagrams of a size until one is refused, and returns the MTU
// that the kernel then knows.
func learntMTU(t *testing.T, c net.Conn, size int) (mtu int) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < mendLimit; time.Sleep(10 * time.Millisecond) {
		if _, err := c.Write(make([]byte, size)); err != nil {
			control(t, c, func(fd int) (err error) {
				mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU)
				return err
			})
			return mtu
		}
	}
	t.Errorf("datagrams of %d bytes vanish", size)
	return 0
}

// control runs fn on the socket of a connection.
func control(t *testing.T, c net.Conn, fn func(fd int) error) {
	t.Helper()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	controlErr := raw.Control(func(fd uintptr) { err = fn(int(fd)) })
	if err != nil || controlErr != nil {
		t.Fatal(err, controlErr)
	}
}

// testLeave ends the agents and cleans up after them: nothing of theirs is left,
// compared with what a node has that never had one.
func testLeave(ctx context.Context, t *testing.T, n *network) {
	for _, c := range n.Lab.Clusters() {
		for _, node := range c.Nodes() {
			a := n.Agent(node.Name)
			a.Terminate(ctx)
			if out, err := a.CleanUp(ctx); err != nil {
				t.Errorf("%s: %v: %s", node.Name, err, out)
			}
			if diff := cmp.Diff(n.before[node.Name], dump(ctx, t, node.NS)); diff != "" {
				t.Errorf("%s is not as it was before the agent: %s", node.Name, diff)
			}
		}
	}
	if left, _ := filepath.Glob("/run/wireguard/*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
