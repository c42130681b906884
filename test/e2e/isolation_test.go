// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/lab/netecho"
	underlaynet "github.com/fairlead/fairlead/test/lab/underlay"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/world"
)

// TestIsolation is about what must not pass between clusters.
func TestIsolation(t *testing.T) {
	ctx := bounded(t)
	n := newNetwork(ctx, t)
	eventually(ctx, t, n.probe(world.Managed, 1), n.probeAddress(world.Local, 1), "cluster="+world.Local)
	// From here on the managed cluster's gateway is in a stranger's hands.
	intruder := n.node(world.Managed, 0)
	n.Agent(intruder.Name).Kill()
	t.Run("only pods are reached", func(t *testing.T) { testOnlyPods(ctx, t, n, intruder) })
	t.Run("foreign sources are dropped", func(t *testing.T) { testForeignSource(ctx, t, n, intruder) })
	t.Run("nothing leaves in clear text", func(t *testing.T) { testClearText(ctx, t, n) })
}

// open makes a gateway's tunnel send these destinations to its peer, whatever
// the peer says that it has.
func open(ctx context.Context, t *testing.T, gateway *lab.Node, prefixes ...string) {
	t.Helper()
	name := tunnel(ctx, t, gateway)
	c, err := net.Dial("unix", "/run/wireguard/"+name+".sock")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "get=1\n\n")
	r := bufio.NewReader(c)
	peer := ""
	for text := "x"; text != "\n"; {
		if text, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if key, ok := strings.CutPrefix(text, "public_key="); ok {
			peer = key
		}
	}
	fmt.Fprintf(c, "set=1\npublic_key=%s", peer)
	for _, p := range prefixes {
		fmt.Fprintf(c, "allowed_ip=%s\n", p)
		run(ctx, t, gateway.NS, "ip route add "+p+" dev "+name+" table 7147")
	}
	fmt.Fprint(c, "\n")
	if text, err := r.ReadString('\n'); err != nil || text != "errno=0\n" {
		t.Fatalf("%q, %v", text, err)
	}
}

// testOnlyPods: a stranger at the other end reaches neither nodes, by any of
// their addresses, nor services by their cluster IPs.
func testOnlyPods(ctx context.Context, t *testing.T, n *network, intruder *lab.Node) {
	const port = 9000
	cluster := n.Lab.Cluster(world.Local)
	var targets []string
	for i, node := range cluster.Nodes() {
		l, err := node.NS.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() { _ = netecho.Identity{Pod: node.Name, Cluster: cluster.Name}.ServeStream(l) }()
		// As the bridge of a network plug-in has one.
		inside := node.PodCIDR.Addr().Next().Next().Next().Next().Next().Next().String()
		run(ctx, t, node.NS, "ip addr add "+inside+"/32 dev lo")
		targets = append(targets, fmt.Sprintf("%s:%d", inside, port))
		if i > 0 {
			open(ctx, t, intruder, node.Address.String()+"/32")
			targets = append(targets, fmt.Sprintf("%s:%d", node.Address, port))
		}
	}
	service, err := cluster.Client().CoreV1().Services(world.Namespace).Get(ctx, "frontend", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	open(ctx, t, intruder, cluster.ServiceCIDRs[0].String())
	const healthz = 10256 // kube-proxy's, on all addresses
	targets = append(targets, service.Spec.ClusterIP+":80",
		fmt.Sprintf("%s:%d", n.tunnelAddress(world.Local), port), fmt.Sprintf("%s:%d", n.tunnelAddress(world.Local), healthz))
	behind := n.probe(world.Managed, 1)
	for _, from := range []*netns.NS{intruder.NS, n.probe(world.Managed, 0), behind} {
		for _, address := range targets {
			if !strings.HasPrefix(address, "10.128.") && from == behind {
				continue // its node does not lead this to the gateway
			}
			if got := call(ctx, from, address, 2*time.Second); !strings.Contains(got, "refused") {
				t.Errorf("%s → %s: %s", from.Name(), address, got)
			}
		}
	}
}

// counted is the sum of a table's counters.
func counted(t *testing.T, list string) (packets int) {
	t.Helper()
	for _, m := range regexp.MustCompile(`packets (\d+)`).FindAllStringSubmatch(list, -1) {
		var k int
		if _, err := fmt.Sscan(m[1], &k); err != nil {
			t.Fatal(err)
		}
		packets += k
	}
	return packets
}

// testForeignSource: what comes out of a tunnel has an address of the cluster at
// its other end.
func testForeignSource(ctx context.Context, t *testing.T, n *network, intruder *lab.Node) {
	stranger := n.node(world.Local, 1).PodCIDR.Addr().Next().Next().Next().String()
	own := intruder.PodCIDR.Addr().Next().Next().Next().Next().Next().Next().Next().String()
	gateway := n.node(world.Local, 0)
	for address, seen := range map[string]bool{own: true, stranger: false} {
		run(ctx, t, gateway.NS, "nft 'table ip watch { chain c { type filter hook prerouting priority -300; iifname fl* ip saddr "+address+" counter; }; }'")
		run(ctx, t, intruder.NS, "ip addr add "+address+"/32 dev lo")
		run(ctx, t, intruder.NS, "ping -q -i 0.01 -c 5 -W 1 -I "+address+" "+n.probes[world.NodeName(world.Local, 0)]+" || true")
		if got := counted(t, run(ctx, t, gateway.NS, "nft list table ip watch")); (got > 0) != seen {
			t.Errorf("%d packets from %s came out of the tunnel", got, address)
		}
		run(ctx, t, gateway.NS, "nft delete table ip watch")
	}
}

// testClearText kills the process of a tunnel while no agent mends it, on a
// gateway whose default route leads to the other one.
func testClearText(ctx context.Context, t *testing.T, n *network) {
	gateway := n.node(world.Local, 0)
	name := tunnel(ctx, t, gateway)
	run(ctx, t, gateway.NS, "ip route add default via "+n.node(world.Managed, 0).Address.String())
	n.Agent(gateway.Name).Kill()
	underlay := func(command string) string {
		out, err := exec.CommandContext(ctx, "nsenter", "--net=/run/netns/underlay", "sh", "-c", command).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		return string(out)
	}
	// Behind its own gateway the other cluster passes on in clear text, as it should.
	link := strings.Fields(run(ctx, t, gateway.NS, "ip -br link show "+underlaynet.Interface))
	if len(link) < 3 {
		t.Fatalf("the gateway's link: %q", link)
	}
	underlay("nft 'table bridge watch { chain c { type filter hook forward priority -10; ether saddr " + link[2] +
		" ip daddr { 10.132.0.0/14, 242.247.0.0/16, 243.0.0.0/8 } counter; }; }'")
	calls := func() {
		for _, from := range []*netns.NS{n.probe(world.Local, 0), gateway.NS} {
			call(ctx, from, n.probeAddress(world.Managed, 0), 300*time.Millisecond)
			call(ctx, from, n.service(world.Local, "redis-follower"), 300*time.Millisecond)
		}
	}
	calls()
	run(ctx, t, gateway.NS, fmt.Sprintf("kill -9 %d", device(t, name)))
	calls()
	if got := counted(t, underlay("nft list table bridge watch")); got > 0 {
		t.Errorf("%d packets in clear text", got)
	}
	run(ctx, t, gateway.NS, "ip rule del priority 470")
	calls()
	if got := counted(t, underlay("nft list table bridge watch")); got == 0 {
		t.Error("the watch sees nothing")
	}
}
