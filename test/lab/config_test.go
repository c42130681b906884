// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

func TestDefaults(t *testing.T) {
	c, err := Config{Clusters: []ClusterConfig{{Name: "a"}, {Name: "b", Nodes: Nodes(3)}}}.complete()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, cluster := range c.Clusters {
		got = append(got, cluster.Name, cluster.PodCIDRs[0].String(), cluster.ServiceCIDRs[0].String())
		for j, n := range cluster.Nodes {
			got = append(got, n.Name, n.Address.String(), cluster.share(j).String())
		}
	}
	want := "a 10.1.0.0/16 10.101.0.0/16 worker-1 192.0.2.11 10.1.0.0/24 " +
		"b 10.2.0.0/16 10.102.0.0/16 worker-1 192.0.2.21 10.2.0.0/24 worker-2 192.0.2.22 10.2.1.0/24 worker-3 192.0.2.23 10.2.2.0/24"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestSharesOfASmallPrefix(t *testing.T) {
	c := ClusterConfig{PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, Nodes: Nodes(3)}
	if got := fmt.Sprint(c.share(0), c.share(2)); got != "10.0.0.0/26 10.0.0.128/26" {
		t.Errorf("got %s", got)
	}
}

func TestEverythingWrongIsReported(t *testing.T) {
	prefix := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	_, err := Config{Clusters: []ClusterConfig{
		{Name: "a", PodCIDRs: prefix("2001:db8::/64")},
		{Name: "a", ServiceCIDRs: prefix("10.0.0.1/16")},
		{Name: "small", PodCIDRs: prefix("10.0.0.0/30"), Nodes: Nodes(2)},
		{Name: "large", Nodes: Nodes(10)},
		{Name: "nodes", Nodes: []NodeConfig{{Name: "x"}, {Name: "x"}, {Address: netip.MustParseAddr("192.0.2.11")},
			{Address: netip.MustParseAddr("198.51.100.1")}}},
	}}.complete()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"2001:db8::/64 is not", `cluster 2: the name "a"`, "10.0.0.1/16 is not", "too small for 2 nodes", "10 nodes",
		"two nodes x", "192.0.2.11 is outside", "198.51.100.1 is outside",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in\n%v", want, err)
		}
	}
	if _, err := (Config{}).complete(); err == nil {
		t.Error("a lab without clusters was taken")
	}
}

func TestStartRefuses(t *testing.T) {
	one := []ClusterConfig{{Name: "one"}}
	if !sandbox.Inside() {
		if _, err := Start(bounded(t), Config{Clusters: one}); err == nil || !strings.Contains(err.Error(), "only in a sandbox") {
			t.Errorf("outside: %v", err)
		}
		t.Skip("needs root: the rest needs a sandbox")
	}
	empty := tools.Store{Dir: t.TempDir()}
	if _, err := Start(bounded(t), Config{Clusters: one, Tools: empty}); err == nil || !strings.Contains(err.Error(), "run `make tools`") {
		t.Errorf("without tools: %v", err)
	}
	if _, err := Start(bounded(t), Config{}); err == nil || !strings.Contains(err.Error(), "start the lab: 0 clusters") {
		t.Errorf("without clusters: %v", err)
	}
}

// TestFailedStartLeavesNothing takes a name that the lab needs; the lab can be
// started afterwards.
func TestFailedStartLeavesNothing(t *testing.T) {
	sandbox.Need(t)
	ns, err := netns.New("one:worker-1")
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Clusters: []ClusterConfig{{Name: "one"}}, Dir: t.TempDir()}
	if l, err := Start(bounded(t), config); err == nil || !strings.Contains(err.Error(), "one:worker-1") {
		t.Fatal(l, err)
	}
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(netns.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	start(bounded(t), t, config)
}

// TestThreeClusters holds the lab to its promise, and looks for a way from one
// cluster's nodes and pods to a pod of another: there must be none.
func TestThreeClusters(t *testing.T) {
	const promised = 30 * time.Second
	begin := time.Now()
	l := start(bounded(t), t, Config{Clusters: []ClusterConfig{{Name: "a"}, {Name: "b"}, {Name: "c"}}})
	if took := time.Since(begin); took > promised {
		t.Errorf("three clusters took %s, more than %s", took, promised)
	}
	if l.Cluster("c") == nil || l.Cluster("d") != nil || l.Cluster("a").Node("none") != nil {
		t.Error("clusters and nodes are not found by name")
	}
	checkIsolation(bounded(t), t, l.Cluster("a"), l.Cluster("b"))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error("the second time:", err)
	}
	if _, err := os.Stat(l.Dir()); !os.IsNotExist(err) {
		t.Errorf("%s: %v, want it gone", l.Dir(), err)
	}
}

func checkIsolation(ctx context.Context, t *testing.T, from, to *Cluster) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: p}}
spec:
  containers: [{name: main, image: lab, command: [netecho, serve, --tcp, ":80"], readinessProbe: {tcpSocket: {port: 80}}}]
`
	apply(ctx, t, from, pod)
	apply(ctx, t, to, pod)
	waitPods(ctx, t, from, "app=p", 1)
	address := waitPods(ctx, t, to, "app=p", 1)[0].Status.PodIP + ":80"
	call := []string{"netecho", "call", "--timeout", "300ms", "--address", address}
	inPod, err := from.Command(ctx, "default", "p", call...)
	if err != nil {
		t.Fatal(err)
	}
	for where, cmd := range map[string]*netns.Cmd{"node": from.Node("worker-1").Command(ctx, call...), "pod": inPod} {
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "failed: network is unreachable") {
			t.Errorf("from a %s: %v, %s", where, err, out)
		}
	}
}

func TestRelay(t *testing.T) {
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	target, front := listen(), listen()
	r := startRelay(front, target.Addr().String())
	dial := func() net.Conn {
		c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", front.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		return c
	}
	// The far end answers after it has read everything, so an end must be passed
	// on while the other direction stays open.
	go func() {
		c, err := target.Accept()
		if err == nil {
			text, _ := io.ReadAll(c)
			fmt.Fprintf(c, "got %s", text)
			c.Close()
		}
	}()
	c := dial()
	_, _ = io.WriteString(c, "hello")
	_ = c.(*net.TCPConn).CloseWrite()
	if text, err := io.ReadAll(c); err != nil || string(text) != "got hello" {
		t.Errorf("%q, %v", text, err)
	}
	open := dial()
	if _, err := target.Accept(); err != nil {
		t.Fatal(err)
	}
	target.Close()
	if text, err := io.ReadAll(dial()); len(text) != 0 {
		t.Errorf("nobody listens, and it said %q, %v", text, err)
	}
	r.close()
	if _, err := open.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived the relay")
	}
}
