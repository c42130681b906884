// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/engine"
	"github.com/fairlead/fairlead/dataplane/internal/keys"
	"github.com/fairlead/fairlead/dataplane/internal/op"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/sandbox"
)

// agentVariable makes the test binary be the agent.
const agentVariable = "FAIRLEAD_TEST_AGENT"

func TestMain(m *testing.M) {
	device := len(os.Args) > 1 && os.Args[1] == deviceCommand
	if device || os.Getenv(agentVariable) != "" {
		os.Exit(Main(os.Args[1:]))
	}
	sandbox.Main(m)
}

// world is two clusters on one underlay. Cluster c1 has the gateway n1 with the
// pod p1 and the node n2 with the pod p2; cluster c2 has the gateway n3 with the
// pods q1 and q2. Each node masquerades what leaves the cluster, as CNI plug-ins
// do.
type world struct {
	t     *testing.T
	spec  map[string]*v1alpha1.Dataplane
	nodes map[string]*node
	pods  map[string]*netns.NS
	lan   *netns.NS
}

// node is a node and what its agent would hold.
type node struct {
	t       *testing.T
	name    string
	ns      *netns.NS
	dir     string
	address netip.Addr
	key     keys.Private
	engine  *engine.Engine
	before  func(op.Op) error
}

var podAddress = map[string]string{"p1": "10.1.1.2", "p2": "10.1.2.2", "q1": "10.2.1.2", "q2": "10.2.1.3"}

func newWorld(t *testing.T) *world {
	sandbox.Need(t)
	w := &world{t: t, nodes: map[string]*node{}, pods: map[string]*netns.NS{}, lan: newNS(t, "lan")}
	run(t, w.lan, "ip link add br0 type bridge", "ip link set br0 up")
	w.addNode("n1", "192.0.2.1", "10.1")
	w.addNode("n2", "192.0.2.2", "10.1")
	w.addNode("n3", "192.0.2.3", "10.2")
	run(t, w.nodes["n1"].ns, "ip route add 10.1.2.0/24 via 192.0.2.2")
	run(t, w.nodes["n2"].ns, "ip route add 10.1.1.0/24 via 192.0.2.1", "sysctl -qw net.ipv4.ip_forward=1")
	w.addPod("p1", "n1")
	w.addPod("p2", "n2")
	w.addPod("q1", "n3")
	w.addPod("q2", "n3")
	w.spec = map[string]*v1alpha1.Dataplane{"c1": w.dataplane("c1"), "c2": w.dataplane("c2")}
	return w
}

func (w *world) addNode(name, address, pods string) {
	ns := newNS(w.t, name)
	prefix := netip.MustParsePrefix(address + "/24")
	err := netns.Cable(netns.End{NS: w.lan, Name: "to-" + name}, netns.End{NS: ns, Name: "eth0", Addresses: []netip.Prefix{prefix}})
	if err != nil {
		w.t.Fatal(err)
	}
	run(w.t, w.lan, "ip link set to-"+name+" master br0")
	run(w.t, ns, "nft add table ip cni",
		"nft add chain ip cni post { type nat hook postrouting priority 100 ; }",
		fmt.Sprintf("nft add rule ip cni post ip saddr %s.0.0/16 ip daddr != %s.0.0/16 masquerade", pods, pods))
	w.nodes[name] = newNode(w.t, name, ns, prefix.Addr())
}

// newNode opens an engine in the namespace.
func newNode(t *testing.T, name string, ns *netns.NS, address netip.Addr) *node {
	n := &node{t: t, name: name, ns: ns, dir: t.TempDir(), address: address}
	var err error
	if n.key, err = keys.Load(n.dir); err != nil {
		t.Fatal(err)
	}
	n.open()
	t.Cleanup(n.engine.Close)
	// Device processes outlive the agent; the test must end them.
	t.Cleanup(n.cleanUp)
	return n
}

// open starts an agent's engine on the node.
func (n *node) open() {
	n.t.Helper()
	n.do(func() (err error) {
		n.engine, err = engine.Open(engine.Options{
			Key: n.key, StateDir: n.dir, DeviceCommand: []string{"/proc/self/exe", deviceCommand},
			Before: func(o op.Op) error {
				if n.before != nil {
					return n.before(o)
				}
				return nil
			},
		})
		return err
	})
}

// cleanUp removes everything of the agent's from the node.
func (n *node) cleanUp() {
	n.t.Helper()
	before := n.before
	n.before = nil
	n.do(func() error { _, err := n.engine.CleanUp(context.Background()); return err })
	n.before = before
}

func (n *node) do(fn func() error) {
	n.t.Helper()
	if err := n.ns.Do(fn); err != nil {
		n.t.Fatalf("%s: %v", n.name, err)
	}
}

// apply makes the node's kernel match and returns what was done.
func (n *node) apply(s desired.State) (done []op.Op, err error) {
	_ = n.ns.Do(func() error { done, err = n.engine.Apply(context.Background(), s); return nil })
	return done, err
}

func (w *world) addPod(name, on string) {
	ns, addr := newNS(w.t, name), podAddress[name]
	gateway := netip.MustParsePrefix(addr[:len(addr)-1] + "1/32")
	err := netns.Cable(
		netns.End{NS: w.nodes[on].ns, Name: "v-" + name, Addresses: []netip.Prefix{gateway}},
		netns.End{NS: ns, Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix(addr + "/32")}})
	if err != nil {
		w.t.Fatal(err)
	}
	run(w.t, w.nodes[on].ns, "ip route add "+addr+" dev v-"+name)
	run(w.t, ns, "ip route add "+gateway.Addr().String()+" dev eth0", "ip route add default via "+gateway.Addr().String())
	w.pods[name] = ns
}

// dataplane is the Dataplane of one of the two clusters.
func (w *world) dataplane(cluster string) *v1alpha1.Dataplane {
	own, other, node, peer := "1", "2", "n1", "n3"
	if cluster == "c2" {
		own, other, node, peer = "2", "1", "n3", "n1"
	}
	d := &v1alpha1.Dataplane{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindDataplane},
		ObjectMeta: metav1.ObjectMeta{Name: "production", Generation: 1},
	}
	d.Spec = v1alpha1.DataplaneSpec{
		Cluster: cluster, Driver: v1alpha1.DriverWireGuard, ClusterSetCIDR: "243.0.0.0/8",
		PodCIDRs: []v1alpha1.CIDR{v1alpha1.CIDR("10." + own + ".0.0/16")}, GlobalCIDR: v1alpha1.CIDR("242." + own + ".0.0/16"),
		Gateways: []v1alpha1.LocalGateway{{
			Name: "gw-a", Node: node, TunnelAddress: v1alpha1.Address("242." + own + ".255.1"), Port: 51820,
			NodeAddresses: []v1alpha1.Address{v1alpha1.Address(w.nodes[node].address.String())},
		}},
		Peers: []v1alpha1.Peer{{
			Cluster: "c" + other, Gateway: "gw-a", PublicKey: w.nodes[peer].key.Public(),
			Endpoints: []string{w.nodes[peer].address.String() + ":51820"}, TunnelAddress: v1alpha1.Address("242." + other + ".255.1"),
			Prefixes: []v1alpha1.CIDR{v1alpha1.CIDR("10." + other + ".0.0/16"), v1alpha1.CIDR("242." + other + ".0.0/16")},
		}},
	}
	return d
}

// state is what a node must hold.
func (w *world) state(name string, routes []v1alpha1.ServiceRoute, slices []discoveryv1.EndpointSlice) desired.State {
	w.t.Helper()
	cluster := "c1"
	if name == "n3" {
		cluster = "c2"
	}
	s := desired.Make(desired.Input{
		Node: name, Address: w.nodes[name].address, UnderlayMTU: 1500,
		Dataplane: w.spec[cluster], Routes: routes, Slices: slices,
	})
	if !s.Complete() {
		w.t.Fatalf("state of %s: %v", name, s.Problems)
	}
	return s
}

// mustApply makes the nodes match.
func (w *world) mustApply(routes []v1alpha1.ServiceRoute, slices []discoveryv1.EndpointSlice, names ...string) {
	w.t.Helper()
	for _, name := range names {
		if _, err := w.nodes[name].apply(w.state(name, routes, slices)); err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
	}
}

// serve answers each TCP connection to a pod with the pod's name and the
// client's address, and each line with itself.
func (w *world) serve(pod string, port int) {
	w.t.Helper()
	l, err := w.pods[pod].Listen("tcp", fmt.Sprintf("%s:%d", podAddress[pod], port))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c, pod)
		}
	}()
}

func answer(c net.Conn, name string) {
	defer c.Close()
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	fmt.Fprintf(c, "%s sees %s\n", name, host)
	for lines := bufio.NewScanner(c); lines.Scan(); {
		fmt.Fprintln(c, lines.Text())
	}
}

// dial connects and reads the greeting.
func dial(from *netns.NS, to string) (net.Conn, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c, err := from.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, "", err
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	return c, strings.TrimSpace(line), err
}

// ask is the greeting, or the error.
func ask(from *netns.NS, to string) string {
	c, line, err := dial(from, to)
	if c != nil {
		c.Close()
	}
	if err != nil {
		return err.Error()
	}
	return line
}

// expect asks until the answer is right, for tunnels need a handshake first.
//
// It waits long: two ends of a tunnel that send their first handshake in the same
// milliseconds may answer each other at once, and wireguard-go, which consumes an
// initiation and a response side by side, is then left with a session that only
// one end knows. It notices after 15 s without an answer (KeepaliveTimeout and
// RekeyTimeout), and begins anew.
func expect(t *testing.T, from *netns.NS, to, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(45 * time.Second); time.Now().Before(deadline); {
		if got = ask(from, to); strings.Contains(got, want) {
			return
		}
	}
	t.Errorf("%s → %s: %q, want %q", from.Name(), to, got, want)
}

func newNS(t *testing.T, name string) *netns.NS {
	t.Helper()
	n, err := netns.New(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// run runs commands, their words separated by blanks, in a namespace.
func run(t *testing.T, ns *netns.NS, commands ...string) string {
	t.Helper()
	var all strings.Builder
	for _, c := range commands {
		out, err := ns.Command(context.Background(), strings.Fields(c)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %s: %v\n%s", ns.Name(), c, err, out)
		}
		all.Write(out)
	}
	return all.String()
}
