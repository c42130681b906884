// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/netns"
)

// webRoutes has an import and an export of this cluster, so that every set and
// map is used.
func webRoutes() []v1alpha1.ServiceRoute {
	r := importWeb(3)
	r[0].Spec.Export = &v1alpha1.RouteExport{Addresses: []v1alpha1.Address{"242.1.0.10"}}
	return r
}

func webSlices() []discoveryv1.EndpointSlice {
	return []discoveryv1.EndpointSlice{slice("web", map[string]bool{"p1": true, "p2": true})}
}

func TestSecondApplyChangesNothing(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"n1", "n2", "n3"} {
		routes := webRoutes()
		if name == "n3" {
			routes = exportWeb()
		}
		s := w.state(name, routes, webSlices())
		first, err := w.nodes[name].apply(s)
		if err != nil || len(first) == 0 {
			t.Fatalf("%s: %v, %v", name, first, err)
		}
		for range 2 {
			if again, err := w.nodes[name].apply(s); err != nil || len(again) != 0 {
				t.Errorf("%s: again %v, %v", name, again, err)
			}
		}
		fresh := newEngineFor(t, w.nodes[name])
		if again, err := fresh.apply(s); err != nil || len(again) != 0 {
			t.Errorf("%s: a new agent did %v, %v", name, again, err)
		}
	}
}

// newEngineFor is a new agent on the same node.
func newEngineFor(t *testing.T, n *node) *node {
	t.Helper()
	fresh := *n
	fresh.before = nil
	fresh.open()
	t.Cleanup(fresh.engine.Close)
	return &fresh
}

// dump is what a person sees of a namespace's kernel state, without what changes
// by itself.
func dump(t *testing.T, ns *netns.NS) string {
	t.Helper()
	out := run(t, ns, "ip -o link show", "ip -o addr show", "ip rule show", "ip route show table all", "nft list ruleset",
		"sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter")
	// IPv6 link-local addresses come a moment after their interface.
	out = regexp.MustCompile(`(?m)^.*(fe80:|ff00:).*\n`).ReplaceAllString(out, "")
	return regexp.MustCompile(`handle \d+|valid_lft \S+|tentative `).ReplaceAllString(out, "")
}

// foreign makes things that look like ours and are not.
func foreign(t *testing.T, ns *netns.NS) {
	t.Helper()
	run(t, ns,
		"ip tuntap add name fl00000001 mode tun", "ip link set fl00000001 up",
		"ip route add 10.77.0.0/16 dev eth0 table 7147", "ip route add unreachable 10.78.0.0/16 table 7147 metric 4278198272",
		"ip route add 10.79.0.0/16 dev eth0 proto 147",
		"ip rule add from all lookup 7147 priority 471", "ip rule add from 10.9.9.9 lookup main priority 474",
		"nft add table inet fairlead", "nft add table ip fairlead-other", "nft add set ip fairlead-other x { type ipv4_addr ; }")
}

func TestCleanUpRemovesExactlyOurs(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"n1", "n2"} {
		n := w.nodes[name]
		foreign(t, n.ns)
		before := dump(t, n.ns)
		if _, err := n.apply(w.state(name, webRoutes(), webSlices())); err != nil {
			t.Fatal(err)
		}
		if dump(t, n.ns) == before {
			t.Fatal("applying changed nothing that the dump shows")
		}
		if again, err := n.apply(desired.State{}); err != nil || len(again) == 0 {
			t.Errorf("%s: the empty state did %v, %v", name, again, err)
		}
		n.cleanUp()
		if after := dump(t, n.ns); after != before {
			t.Errorf("%s after the clean-up:\n%s\nbefore:\n%s", name, after, before)
		}
		if sockets, _ := filepath.Glob("/run/wireguard/*"); len(sockets) > 0 {
			t.Errorf("%s: sockets %v are left", name, sockets)
		}
	}
}

// errStop is a crash.
var errStop = errors.New("stopped here")

// stopAfter makes the node's agent stop before its Op number k, from 0.
func (n *node) stopAfter(k int) {
	count := 0
	n.before = func(op.Op) error {
		if count == k {
			return errStop
		}
		count++
		return nil
	}
}

// TestEveryCrashPoint stops the bring-up of a gateway, and then a change, after
// every number of Ops, and expects a new agent to end in the same kernel.
func TestEveryCrashPoint(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	foreign(t, n.ns)
	start := desired.State{}
	full := w.state("n1", webRoutes(), webSlices())
	changed := w.changed()
	for _, step := range []struct {
		name     string
		from, to desired.State
	}{{"bring-up", start, full}, {"change", full, changed}, {"change back", changed, full}} {
		t.Run(step.name, func(t *testing.T) {
			n.reset(step.from)
			done, err := n.apply(step.to)
			if err != nil || len(done) == 0 {
				t.Fatal(done, err)
			}
			want := dump(t, n.ns)
			for k := range done {
				n.crashAt(k, step.from, step.to)
				if got := dump(t, n.ns); normal(got) != normal(want) {
					t.Errorf("stopped before %q:\n%s\nwant:\n%s", done[k], got, want)
				}
			}
		})
	}
}

// crashAt stops an apply before Op k and lets a new agent finish.
func (n *node) crashAt(k int, from, to desired.State) {
	t := n.t
	t.Helper()
	n.reset(from)
	n.stopAfter(k)
	if _, err := n.apply(to); !errors.Is(err, errStop) {
		t.Fatalf("at %d: %v", k, err)
	}
	n.before = nil
	fresh := newEngineFor(t, n)
	if _, err := fresh.apply(to); err != nil {
		t.Fatalf("after a stop at %d: %v", k, err)
	}
	if again, err := fresh.apply(to); err != nil || len(again) != 0 {
		t.Errorf("after a stop at %d, a second apply did %v, %v", k, again, err)
	}
}

// reset brings the node from anything to a state.
func (n *node) reset(s desired.State) {
	n.t.Helper()
	n.cleanUp()
	if s.Tunnel == nil {
		return
	}
	if _, err := n.apply(s); err != nil {
		n.t.Fatal(err)
	}
}

// normal leaves interface numbers out, which grow with every new interface, and
// the order that nft gives elements.
func normal(dump string) string {
	return regexp.MustCompile(`(?m)^\d+: `).ReplaceAllString(dump, "")
}

// changed is another state of n1: another peer for some prefixes, a smaller MTU,
// other shares.
func (w *world) changed() desired.State {
	d := w.spec["c1"].DeepCopy()
	d.Spec.MTU = 1400
	d.Spec.Peers[0].Prefixes = []v1alpha1.CIDR{"10.2.0.0/17", "242.2.0.0/16"}
	d.Spec.Peers = append(d.Spec.Peers, v1alpha1.Peer{
		Cluster: "c3", Gateway: "gw-a", PublicKey: w.nodes["n2"].key.Public(), Endpoints: []string{"192.0.2.2:51820"},
		TunnelAddress: "242.3.255.1", Prefixes: []v1alpha1.CIDR{"10.2.128.0/17", "242.3.0.0/16"},
	})
	return desired.Make(desired.Input{
		Node: "n1", Address: w.nodes["n1"].address, UnderlayMTU: 1500, Dataplane: d, Routes: importWeb(1), Slices: webSlices(),
	})
}

// TestConvergesFromLeftovers starts from what other versions, other programs and
// people could have left.
func TestConvergesFromLeftovers(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	s := w.state("n1", webRoutes(), webSlices())
	if _, err := n.apply(s); err != nil {
		t.Fatal(err)
	}
	want, name := normal(dump(t, n.ns)), s.Tunnel.Name
	for _, leftover := range [][]string{
		{"nft delete table ip fairlead"},
		{"nft delete table ip fairlead", "nft add table ip fairlead", "nft add set ip fairlead services { type ipv4_addr ; }"},
		{"nft add chain ip fairlead old", "nft add rule ip fairlead old drop", "nft add map ip fairlead older { type ipv4_addr : verdict ; }",
			"nft add element ip fairlead older { 10.0.0.1 : jump old }"},
		{"nft flush chain ip fairlead source"},
		{"nft insert rule ip fairlead source drop"},
		{"nft flush map ip fairlead services"},
		{"nft add element ip fairlead remote { 10.200.0.0/16 }"},
		{"ip route flush table 7147 proto 147"},
		{"ip route add 10.55.0.0/16 dev eth0 table 7147 proto 147"},
		{"ip route replace 10.2.0.0/16 via 192.0.2.2 table 7147 proto 147"},
		{"ip rule del priority 470", "ip rule add from all lookup main priority 472 proto 147"},
		{"ip rule add from 10.0.0.1 lookup 7147 priority 470 proto 147"},
		{"ip link set " + name + " down"},
		{"ip link set " + name + " mtu 1280", "ip addr add 242.1.9.9/32 dev " + name, "ip addr del 242.1.255.1/32 dev " + name},
		{"ip link del " + name},
		{"rm /run/wireguard/" + name + ".sock"},
		{"sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf." + name + ".rp_filter=1"},
	} {
		run(t, n.ns, leftover...)
		fresh := newEngineFor(t, n)
		converge(t, fresh, s, fmt.Sprint(leftover))
		if got := normal(dump(t, n.ns)); got != want {
			t.Errorf("after %q:\n%s\nwant:\n%s", leftover, got, want)
		}
	}
}

// converge applies until it succeeds; a device process that lost its socket is
// ending meanwhile. Then nothing more is done.
func converge(t *testing.T, n *node, s desired.State, after string) {
	t.Helper()
	var err error
	for range 3 {
		if _, err = n.apply(s); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("after %s: %v", after, err)
	}
	if again, err := n.apply(s); err != nil || len(again) != 0 {
		t.Errorf("after %s, a second apply did %v, %v", after, again, err)
	}
}

// TestForeignInterfaceOfOurName is an error, and is left alone.
func TestForeignInterfaceOfOurName(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	s := w.state("n1", nil, nil)
	run(t, n.ns, "ip link add "+s.Tunnel.Name+" type bridge")
	before := dump(t, n.ns)
	if _, err := n.apply(s); err == nil || !strings.Contains(err.Error(), "somebody else's") {
		t.Errorf("error %v", err)
	}
	if after := dump(t, n.ns); after != before {
		t.Errorf("changed:\n%s", after)
	}
	run(t, n.ns, "ip link del "+s.Tunnel.Name)
}

// TestIncompleteStateRemovesNothing: what could not be read may be what is there.
func TestIncompleteStateRemovesNothing(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	if _, err := n.apply(w.state("n1", webRoutes(), webSlices())); err != nil {
		t.Fatal(err)
	}
	before := normal(dump(t, n.ns))
	d := w.spec["c1"].DeepCopy()
	d.Spec.Peers[0].PublicKey = "nonsense"
	s := desired.Make(desired.Input{Node: "n1", Address: n.address, UnderlayMTU: 1500, Dataplane: d})
	if s.Complete() {
		t.Fatal("a peer without a key is no problem")
	}
	if done, err := n.apply(s); err != nil || len(done) > 0 {
		t.Errorf("did %v, %v", done, err)
	}
	if after := normal(dump(t, n.ns)); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// TestSysctlRecordSurvives: the value found first is restored, not one that a
// crash left.
func TestSysctlRecordSurvives(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	if _, err := n.apply(w.state("n1", nil, nil)); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(n.dir, "sysctl.json")
	if content, err := os.ReadFile(record); err != nil || !strings.Contains(string(content), `"found": "0"`) {
		t.Errorf("%s, %v", content, err)
	}
	n.cleanUp()
	if got := run(t, n.ns, "sysctl -n net.ipv4.ip_forward"); strings.TrimSpace(got) != "0" {
		t.Errorf("ip_forward is %s", got)
	}
	if _, err := os.Stat(record); !os.IsNotExist(err) {
		t.Errorf("the record stays: %v", err)
	}
}
