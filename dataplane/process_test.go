// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/netns"
)

// process is an agent that runs as a program, on a node of the world.
type process struct {
	t   *testing.T
	cmd *netns.Cmd
	log *buffer
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// program is the agent with arguments, in a node's namespace.
func program(t *testing.T, n *node, args ...string) *netns.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := n.ns.Command(context.Background(), append([]string{self}, args...)...)
	cmd.Env = append(os.Environ(), agentVariable+"=1")
	return cmd
}

// start runs the agent on a node until the test ends.
func start(t *testing.T, n *node, args ...string) *process {
	t.Helper()
	args = append([]string{"--node", n.name, "--address", n.address.String(), "--state-dir", n.dir, "--config", config(n)}, args...)
	p := &process{t: t, cmd: program(t, n, args...), log: &buffer{}}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

// end sends a signal and waits for the end.
func (p *process) end(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait()
}

// says waits until the log holds a text.
func (p *process) says(text string) {
	p.t.Helper()
	eventually(p.t, 20*time.Second, func() bool { return strings.Contains(p.log.String(), text) }, func() string {
		return fmt.Sprintf("the agent does not say %q:\n%s", text, p.log)
	})
}

// eventually polls, with a bound.
func eventually(t *testing.T, limit time.Duration, ok func() bool, message func() string) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(message())
		}
	}
}

func config(n *node) string { return filepath.Join(n.dir, "config") }

// write puts objects into a node's configuration directory, in one step.
func write(t *testing.T, n *node, name string, objects ...any) {
	t.Helper()
	var all []byte
	for _, o := range objects {
		content, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, "---\n"...), content...)
	}
	writeRaw(t, n, name, string(all))
}

func writeRaw(t *testing.T, n *node, name, content string) {
	t.Helper()
	if err := os.MkdirAll(config(n), 0o755); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(config(n), name+".new")
	if err := os.WriteFile(temp, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, filepath.Join(config(n), name)); err != nil {
		t.Fatal(err)
	}
}

// nodeState is what the agent announced.
func nodeState(t *testing.T, n *node) v1alpha1.NodeState {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(n.dir, nodeStateName))
	if err != nil {
		t.Fatal(err)
	}
	var s v1alpha1.NodeState
	if err := yaml.UnmarshalStrict(content, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// bringUp starts agents on the gateways, with the given objects besides the
// Dataplanes.
func bringUp(t *testing.T, w *world) map[string]*process {
	t.Helper()
	agents := map[string]*process{}
	for name, cluster := range map[string]string{"n1": "c1", "n3": "c2"} {
		write(t, w.nodes[name], "dataplane.yaml", w.spec[cluster])
		agents[name] = start(t, w.nodes[name])
	}
	for _, a := range agents {
		a.says("msg=ready")
	}
	return agents
}

// TestBootstrap: a key is made and announced before there is a peer, and a peer
// that comes later is taken up.
func TestBootstrap(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	peers := w.spec["c1"].Spec.Peers
	if err := os.MkdirAll(config(n), 0o755); err != nil {
		t.Fatal(err)
	}
	a := start(t, n)
	a.says("NoDataplane")
	got := nodeState(t, n)
	if got.Name != "n1" || got.Spec.PublicKey != n.key.Public() || len(got.Spec.Addresses) != 1 || got.Status.ObservedGeneration != 0 {
		t.Errorf("announced %+v", got)
	}
	w.spec["c1"].Spec.Peers = nil
	write(t, n, "dataplane.yaml", w.spec["c1"])
	a.says("msg=ready")
	w.spec["c1"].Spec.Peers, w.spec["c1"].Generation = peers, 2
	write(t, n, "dataplane.yaml", w.spec["c1"])
	a.says("add peer " + peers[0].PublicKey)
	eventually(t, 5*time.Second, func() bool { return nodeState(t, n).Status.ObservedGeneration == 2 }, func() string {
		return fmt.Sprintf("announced %+v", nodeState(t, n))
	})
	if got := nodeState(t, n).Status; got.MTU != 1440 || len(got.Conditions) != 1 || got.Conditions[0].Status != "True" {
		t.Errorf("announced %+v", got)
	}
	raw := n.key.Reveal()
	if strings.Contains(a.log.String(), fmt.Sprintf("%x", raw[:4])) || bytes.Contains([]byte(a.log.String()), keyLine(t, n)) {
		t.Error("the log shows the private key")
	}
}

// keyLine is the private key as it lies on the disk.
func keyLine(t *testing.T, n *node) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(n.dir, "wireguard.key"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(content)
}

// TestFailStatic: what is unreadable, or gone, removes nothing; it is said, and
// what somebody removes meanwhile is still mended.
func TestFailStatic(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	a := bringUp(t, w)["n1"]
	before := normal(dump(t, n.ns))
	check := func(after string) {
		t.Helper()
		run(t, n.ns, "ip rule del priority 470")
		eventually(t, 5*time.Second, func() bool { return normal(dump(t, n.ns)) == before }, func() string {
			return fmt.Sprintf("after %s:\n%s\nbefore:\n%s", after, dump(t, n.ns), before)
		})
	}
	writeRaw(t, n, "dataplane.yaml", "apiVersion: [\n")
	a.says("Unreadable")
	check("a broken file")
	writeRaw(t, n, "dataplane.yaml", "")
	a.says("NoDataplane")
	check("an empty file")
	d := w.spec["c1"].DeepCopy()
	d.Spec.GlobalCIDR = "fd00::/64"
	write(t, n, "dataplane.yaml", d)
	a.says("is IPv6, which is not supported yet")
	check("IPv6")
	write(t, n, "dataplane.yaml", w.spec["c1"])
	eventually(t, 5*time.Second, func() bool { return nodeState(t, n).Status.Conditions[0].Status == "True" }, func() string {
		return fmt.Sprintf("announced %+v", nodeState(t, n))
	})
}

// TestDriftIsMended within a second, and called by its name.
func TestDriftIsMended(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	a := bringUp(t, w)["n1"]
	before := normal(dump(t, n.ns))
	name := w.state("n1", nil, nil).Tunnel.Name
	for _, c := range []string{"nft delete table ip fairlead", "nft flush table ip fairlead", "nft flush chain ip fairlead admit", "ip route flush table 7147", "ip rule del priority 470", "ip link del " + name} {
		run(t, n.ns, c)
		begun := time.Now()
		eventually(t, 10*time.Second, func() bool { return normal(dump(t, n.ns)) == before }, func() string {
			return fmt.Sprintf("after %q:\n%s\nbefore:\n%s", c, dump(t, n.ns), before)
		})
		t.Logf("%q was mended in %s", c, time.Since(begun).Round(10*time.Millisecond))
	}
	a.says("mended drift")
}

func TestCommandLineCleanUp(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	before := dump(t, n.ns)
	a := bringUp(t, w)["n1"]
	out, err := program(t, n, "--cleanup", "--state-dir", n.dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another fairlead-agent") {
		t.Errorf("beside a running agent: %v, %s", err, out)
	}
	a.end(syscall.SIGTERM)
	if code := a.cmd.ProcessState.ExitCode(); code != codeOK {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	if dump(t, n.ns) == before {
		t.Error("SIGTERM removed everything")
	}
	if out, err := program(t, n, "--cleanup", "--state-dir", n.dir).CombinedOutput(); err != nil {
		t.Errorf("%v, %s", err, out)
	}
	if after := dump(t, n.ns); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
	files, _ := filepath.Glob(filepath.Join(n.dir, "*"))
	if want := []string{config(n), filepath.Join(n.dir, "wireguard.key")}; fmt.Sprint(files) != fmt.Sprint(want) {
		t.Errorf("left %v, want %v", files, want)
	}
	if left := deviceProcesses(t); len(left) != 1 {
		t.Errorf("device processes %v, want n3's alone", left)
	}
}

// deviceProcesses lists the command lines of device processes.
func deviceProcesses(t *testing.T) []string {
	t.Helper()
	var out []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		content, _ := os.ReadFile(f) // it may have ended
		if strings.Contains(string(content), "\x00"+deviceCommand+"\x00") {
			out = append(out, strings.ReplaceAll(string(content), "\x00", " "))
		}
	}
	return out
}

func TestOnce(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n2"]
	write(t, n, "dataplane.yaml", w.spec["c1"])
	for _, c := range []struct {
		change, want string
		code         int
	}{
		{"", "msg=ready", codeOK},
		{"apiVersion: fairlead.dev/v1alpha1\nkind: ServiceRoute\nspec: {servis: web}\n", "servis", codeError},
		{"\x00\x01 binary", "extra.yaml: document 1", codeError},
	} {
		if c.change != "" {
			writeRaw(t, n, "extra.yaml", c.change)
		}
		p := start(t, n, "--once")
		_ = p.cmd.Wait()
		if code := p.cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(p.log.String(), c.want) {
			t.Errorf("%q: exit code %d, want %d, and %q:\n%s", c.change, code, c.code, c.want, p.log)
		}
	}
}

// TestDeviceProcessIsReplaced when it hangs, and when it was killed.
func TestDeviceProcessIsReplaced(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	s := w.state("n1", nil, nil)
	if _, err := n.apply(s); err != nil {
		t.Fatal(err)
	}
	before := normal(dump(t, n.ns))
	for _, signal := range []string{"STOP", "KILL"} {
		pid := strings.TrimSpace(run(t, n.ns, "pgrep -f "+deviceCommand))
		run(t, n.ns, "kill -"+signal+" "+pid)
		converge(t, n, s, "SIG"+signal)
		if after := normal(dump(t, n.ns)); after != before {
			t.Errorf("after SIG%s:\n%s\nbefore:\n%s", signal, after, before)
		}
		if again := strings.TrimSpace(run(t, n.ns, "pgrep -f "+deviceCommand)); again == pid {
			t.Errorf("still process %s", again)
		}
	}
}
