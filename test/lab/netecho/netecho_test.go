// SPDX-License-Identifier: Apache-2.0

package netecho

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Boot()
	os.Exit(m.Run())
}

// server starts both servers on the loopback interface.
func server(t *testing.T, id Identity) (tcp, udp string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = id.ServeStream(l) }()
	go func() { _ = id.ServePackets(c) }()
	t.Cleanup(func() { l.Close(); c.Close() })
	return l.Addr().String(), c.LocalAddr().String()
}

// run runs the program in this process.
func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestCallCountsAnswers(t *testing.T) {
	tcp, _ := server(t, Identity{Pod: "p-0", Cluster: "c1"})
	code, out, stderr := run("call", "--address", tcp, "--count", "20")
	if want := "    20 pod=p-0 cluster=c1 peer=127.0.0.1\n"; code != 0 || out != want {
		t.Errorf("code %d, said %q %q, want %q", code, out, stderr, want)
	}
}

func TestCallCountsFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // accepts in the kernel and never answers
	code, out, _ := run("call", "--address", l.Addr().String(), "--count", "2", "--timeout", "50ms")
	if want := "     2 failed: timeout\n"; code != codeFailures || out != want {
		t.Errorf("code %d, said %q, want %q", code, out, want)
	}
	l.Close()
	code, out, _ = run("call", "--address", l.Addr().String())
	if want := "     1 failed: connection refused\n"; code != codeFailures || out != want {
		t.Errorf("code %d, said %q, want %q", code, out, want)
	}
}

func TestTallySortsByCount(t *testing.T) {
	got := Tally{Answers: map[string]int{"b": 2, "a": 2, "c": 30}, Failures: map[string]int{"x": 5}}.String()
	if want := "    30 c\n     2 a\n     2 b\n     5 failed: x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStreamCounts(t *testing.T) {
	_, udp := server(t, Identity{Pod: "p"})
	code, out, stderr := run("stream", "--address", udp, "--interval", "1ms", "--count", "50")
	if code != 0 || !strings.HasPrefix(out, "sent=50 answered=50 lost=0 longest-gap=") {
		t.Errorf("code %d, said %q %q", code, out, stderr)
	}
}

// TestStreamSeesLoss answers only even numbers, and one of them twice.
func TestStreamSeesLoss(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		buf := make([]byte, 64)
		for {
			n, peer, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if (buf[n-1]-'0')%2 == 0 {
				_, _ = c.WriteTo(buf[:n], peer)
				_, _ = c.WriteTo(buf[:n], peer)
			}
		}
	}()
	code, out, _ := run("stream", "--address", c.LocalAddr().String(), "--interval", "1ms", "--count", "10")
	if code != codeFailures || !strings.HasPrefix(out, "sent=10 answered=5 lost=5 ") {
		t.Errorf("code %d, said %q", code, out)
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	_, udp := server(t, Identity{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	loss, err := Stream(ctx, (&net.Dialer{}).DialContext, udp, time.Millisecond, 0)
	if err != nil || loss.Sent == 0 || loss.Lost() != 0 {
		t.Errorf("%s, %v", loss, err)
	}
}

// TestProgramByName starts this binary through a symbolic link, as a lab does.
func TestProgramByName(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), Name)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(link, "serve", "--tcp", address, "--udp", address)
	cmd.Env = []string{"POD_NAME=by-name", "CLUSTER_NAME=c2"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	var out string
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(out, "pod=by-name cluster=c2") && time.Now().Before(deadline); {
		_, out, _ = run("call", "--address", address)
	}
	if !strings.Contains(out, "pod=by-name cluster=c2") {
		t.Errorf("said %q", out)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Error("interrupted:", err)
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{
		{}, {"fly"}, {"serve"}, {"serve", "--tcp", "nowhere"}, {"serve", "--udp", "nowhere"}, {"call"}, {"call", "x"},
		{"call", "--address", "127.0.0.1:1", "--count", "0"}, {"stream"}, {"stream", "--interval", "x"},
	} {
		if code, _, stderr := run(args...); code != codeUsage || stderr == "" {
			t.Errorf("%q: code %d, said %q", args, code, stderr)
		}
	}
	if code, _, _ := run("stream", "--address", "no-port"); code != codeFailures {
		t.Errorf("an address without a port: code %d", code)
	}
	if code, _, stderr := run("call", "--help"); code != 0 || !strings.Contains(stderr, "-address") {
		t.Errorf("help: code %d, said %q", code, stderr)
	}
}
