// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/world"
)

// TestRoughOperator does to a running world what people do to machines.
func TestRoughOperator(t *testing.T) {
	ctx := bounded(t)
	n := newNetwork(ctx, t)
	for _, story := range []struct {
		name string
		test func(context.Context, *testing.T, *network)
	}{
		{"what is removed from a gateway comes back", testDrift},
		{"the state directory is gone", testStateDir},
		{"the Dataplane is gone", testNoDataplane},
	} {
		t.Run(story.name, func(t *testing.T) { story.test(ctx, t, n) })
	}
}

// run runs a command in a namespace.
func run(ctx context.Context, t *testing.T, ns *netns.NS, command string) string {
	t.Helper()
	out, err := ns.Command(ctx, "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", ns.Name(), command, err, out)
	}
	return string(out)
}

// tunnel is the name of a gateway's tunnel interface.
func tunnel(ctx context.Context, t *testing.T, gateway *lab.Node) string {
	t.Helper()
	out := run(ctx, t, gateway.NS, "ip -br link")
	name := regexp.MustCompile(`(?m)^fl[0-9a-f]{9}`).FindString(out)
	if name == "" {
		t.Fatalf("no tunnel on %s:\n%s", gateway.FullName(), out)
	}
	return name
}

// volatile is what a dump leaves out: pods come and go, numbers of interfaces
// and link-local addresses are new each time.
var volatile = regexp.MustCompile(`(?m)^.*\bpod[0-9]+.*\n|^.* link-netns [^:\n]*:[^:\n]*:.*\n|^.*(fe80|ff00)::.*\n|^[0-9]+: |@if[0-9]+|^\s+inet6.*\n|^.*valid_lft.*\n`)

// dump is a node's network configuration, one thing a line, sorted.
func dump(ctx context.Context, t *testing.T, ns *netns.NS) []string {
	t.Helper()
	// ip complains of pods whose namespaces are going away just then; a listing
	// that failed would differ by being empty.
	out := run(ctx, t, ns, `exec 2>/dev/null; ip link; ip -4 -o addr; ip rule; ip route show table all; sysctl net.ipv4.ip_forward; nft -s list ruleset`)
	if i := strings.Index(out, "table ip kube-proxy"); i >= 0 {
		j := strings.Index(out[i:], "\n}\n")
		out = out[:i] + out[i+j:]
	}
	// nft lists elements in no particular order, and breaks lines between them.
	out = strings.NewReplacer("elements = {", "\n", ", ", "\n", ",\n", "\n", " }\n", "\n").Replace(out)
	lines := strings.Split(volatile.ReplaceAllString(out, ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	slices.Sort(lines)
	return lines
}

// device is the process behind a gateway's tunnel.
func device(t *testing.T, name string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if words := strings.Split(string(text), "\x00"); len(words) > 3 && words[1] == "wireguard-device" && words[2] == name {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			return pid
		}
	}
	t.Fatalf("no process for %s", name)
	return 0
}

// mendLimit is how long a repair may take on a busy machine; it takes half a
// second, and as long again where a device process must end first.
const mendLimit = 5 * time.Second

// testDrift removes things from both gateways; on each fewer than an agent
// mends without a pause.
func testDrift(ctx context.Context, t *testing.T, n *network) {
	for cluster, commands := range map[string][]string{
		world.Local: {
			"nft delete table ip fairlead", "nft flush table ip fairlead", "nft flush chain ip fairlead admit",
			"ip rule del priority 470", "ip route flush table 7147", "rm /run/wireguard/TUNNEL.sock",
		},
		world.Managed: {
			"ip link del TUNNEL", "ip link set down TUNNEL", "ip addr flush dev TUNNEL", "ip link set mtu 9000 dev TUNNEL",
			"ip link set dev TUNNEL alias ''", "ip link set down TUNNEL; ip link set name operator0 dev TUNNEL", "kill -9 DEVICE",
		},
	} {
		gateway := n.node(cluster, 0)
		name := tunnel(ctx, t, gateway)
		long, err := n.probe(cluster, 1).DialContext(ctx, "tcp", n.probeAddress(other(cluster), 1))
		if err != nil {
			t.Fatal(err)
		}
		defer long.Close()
		before := dump(ctx, t, gateway.NS)
		for _, c := range commands {
			begun := breakIt(ctx, t, n, gateway, strings.NewReplacer("TUNNEL", name, "DEVICE", fmt.Sprint(device(t, name))).Replace(c))
			mended(ctx, t, n, gateway, before)
			took := time.Since(begun)
			eventually(ctx, t, n.probe(cluster, 1), n.probeAddress(other(cluster), 1), "cluster="+other(cluster))
			t.Logf("%q: mended in %s, traffic after %s", c, took.Round(10*time.Millisecond), time.Since(begun).Round(10*time.Millisecond))
			line(t, long)
		}
	}
}

// breakIt runs a command on a gateway and waits until its agent says that it
// mends something.
func breakIt(ctx context.Context, t *testing.T, n *network, gateway *lab.Node, command string) time.Time {
	t.Helper()
	a := n.Agent(gateway.Name)
	read := len(a.Log())
	run(ctx, t, gateway.NS, command)
	begun := time.Now()
	awaitLog(t, a, read, "mended drift")
	return begun
}

// mended waits until a node is as it was before.
func mended(ctx context.Context, t *testing.T, n *network, node *lab.Node, before []string) {
	t.Helper()
	begun := time.Now()
	for {
		diff := cmp.Diff(before, dump(ctx, t, node.NS))
		if diff == "" {
			return
		}
		if time.Since(begun) > mendLimit {
			t.Fatalf("not mended: %s\n%s", diff, n.Agent(node.Name).Log())
		}
	}
}

// testStateDir removes the state directory below a running agent, and then what
// cannot be made without it.
func testStateDir(ctx context.Context, t *testing.T, n *network) {
	gateway := n.node(world.Managed, 0)
	a := n.Agent(gateway.Name)
	before := dump(ctx, t, gateway.NS)
	if err := os.RemoveAll(a.StateDir()); err != nil {
		t.Fatal(err)
	}
	breakIt(ctx, t, n, gateway, "ip link del "+tunnel(ctx, t, gateway))
	mended(ctx, t, n, gateway, before)
	a.Kill()
	read := len(a.Log())
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	if log := awaitLog(t, a, read, "msg=ready"); strings.Contains(log, "op=") {
		t.Errorf("the new agent changed something:\n%s", log)
	}
	eventually(ctx, t, n.probe(world.Local, 1), n.service(world.Local, "redis-follower"), "cluster="+world.Managed)
}

func testNoDataplane(ctx context.Context, t *testing.T, n *network) {
	before := dump(ctx, t, n.node(world.Local, 0).NS)
	read := len(n.Agent(world.NodeName(world.Local, 0)).Log())
	if err := n.Delete(ctx, world.Local, world.Dataplanes, "guestbook"); err != nil {
		t.Fatal(err)
	}
	awaitLog(t, n.Agent(world.NodeName(world.Local, 0)), read, "NoDataplane")
	if diff := cmp.Diff(before, dump(ctx, t, n.node(world.Local, 0).NS)); diff != "" {
		t.Errorf("something changed: %s", diff)
	}
	reconcile(ctx, t, n.World, 0)
}
