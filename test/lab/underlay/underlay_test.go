// SPDX-License-Identifier: Apache-2.0

package underlay

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// host is a node and its address.
type host struct {
	*netns.NS
	address string
}

// segment makes a segment of three nodes a, b and c at 192.0.2.1 to .3.
func segment(t *testing.T) (*Underlay, map[string]host) {
	t.Helper()
	sandbox.Need(t)
	u, err := New("underlay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	nodes := map[string]host{}
	for i, name := range []string{"a", "b", "c"} {
		n, err := netns.New(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		address := netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})
		if err := u.Attach(name, n, netip.PrefixFrom(address, 24)); err != nil {
			t.Fatal(err)
		}
		nodes[name] = host{NS: n, address: address.String()}
	}
	return u, nodes
}

// pingPong sends datagrams one after the other from one node to another
// and returns how many were answered and the fastest round trip.
func pingPong(t *testing.T, from, to host, count int) (answered int, fastest time.Duration) {
	t.Helper()
	c := echoServer(t, from, to)
	fastest = time.Hour
	for i := range count {
		start := time.Now()
		if echoed(c, fmt.Sprint(i)) {
			answered++
			fastest = min(fastest, time.Since(start))
		}
	}
	return answered, fastest
}

// volley sends datagrams all at once and returns how many were answered.
func volley(t *testing.T, from, to host, count int) (answered int) {
	t.Helper()
	c := echoServer(t, from, to)
	for i := range count {
		if _, err := fmt.Fprint(c, i); err != nil {
			t.Fatal(err)
		}
	}
	for buf := make([]byte, 64); ; answered++ {
		_ = c.SetDeadline(time.Now().Add(250 * time.Millisecond))
		if _, err := c.Read(buf); err != nil {
			return answered
		}
	}
}

// echoServer starts a server that sends datagrams back and connects to it.
func echoServer(t *testing.T, from, to host) net.Conn {
	t.Helper()
	server, err := to.ListenPacket("udp", to.address+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 64)
		for {
			n, peer, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(buf[:n], peer)
		}
	}()
	c, err := from.DialContext(context.Background(), "udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echoed sends one datagram and reports whether it came back within a time far
// above any delay used here.
func echoed(c net.Conn, text string) bool {
	const patience = 250 * time.Millisecond
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		return false
	}
	buf := make([]byte, 64)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return false
		}
		if string(buf[:n]) == text {
			return true
		}
	}
}

func TestCutAndRestore(t *testing.T) {
	u, n := segment(t)
	if got, _ := pingPong(t, n["a"], n["b"], 3); got != 3 {
		t.Fatalf("before: %d of 3 answered", got)
	}
	if err := u.Cut("b", "a"); err != nil {
		t.Fatal(err)
	}
	if got, _ := pingPong(t, n["a"], n["b"], 2); got != 0 {
		t.Errorf("cut: %d of 2 answered", got)
	}
	if got, _ := pingPong(t, n["a"], n["c"], 3); got != 3 {
		t.Errorf("another link: %d of 3 answered", got)
	}
	if got := u.Condition("a", "b"); !got.Cut {
		t.Errorf("condition %+v", got)
	}
	if err := u.Restore("a", "b"); err != nil {
		t.Fatal(err)
	}
	if got, _ := pingPong(t, n["a"], n["b"], 3); got != 3 {
		t.Errorf("restored: %d of 3 answered", got)
	}
}

// TestDrop loses a share in each direction: of 200 round trips at one half a
// quarter is expected, and none would happen once in 10^25 runs.
func TestDrop(t *testing.T) {
	u, n := segment(t)
	if got, _ := pingPong(t, n["a"], n["b"], 1); got != 1 {
		t.Fatal("no answer before") // also resolves the addresses
	}
	const count = 200
	if err := u.Drop("a", "b", 0.5); err != nil {
		t.Fatal(err)
	}
	if got := volley(t, n["a"], n["b"], count); got == 0 || got > count/2 {
		t.Errorf("%d of %d answered", got, count)
	}
	if err := u.Drop("a", "b", 0); err != nil {
		t.Fatal(err)
	}
	if got := volley(t, n["a"], n["b"], count); got != count {
		t.Errorf("without loss: %d of %d answered", got, count)
	}
}

func TestDelay(t *testing.T) {
	u, n := segment(t)
	const delay = 30 * time.Millisecond
	if err := u.Delay("a", "b", delay); err != nil {
		t.Fatal(err)
	}
	if got, fastest := pingPong(t, n["a"], n["b"], 5); got != 5 || fastest < 2*delay || fastest > 3*delay {
		t.Errorf("slow: %d of 5 answered, fastest %s, want 5 in %s", got, fastest, 2*delay)
	}
	if got, fastest := pingPong(t, n["a"], n["c"], 5); got != 5 || fastest > delay {
		t.Errorf("another link: %d of 5 answered, fastest %s", got, fastest)
	}
	if err := u.Drop("a", "b", 1); err != nil {
		t.Fatal(err)
	}
	if got, _ := pingPong(t, n["a"], n["b"], 2); got != 0 {
		t.Errorf("slow and lossy: %d of 2 answered", got)
	}
	if err := u.Restore("a", "b"); err != nil {
		t.Fatal(err)
	}
	if got, fastest := pingPong(t, n["a"], n["b"], 5); got != 5 || fastest > delay {
		t.Errorf("restored: %d of 5 answered, fastest %s", got, fastest)
	}
}

// TestDelayCarriesStreams sends enough for the kernel to hand over unsegmented
// frames without checksums.
func TestDelayCarriesStreams(t *testing.T) {
	u, n := segment(t)
	if err := u.Delay("a", "b", 5*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	l, err := n["b"].Listen("tcp", "192.0.2.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sums := make(chan []byte, 1)
	go func() {
		h := sha256.New()
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(h, c)
			c.Close()
		}
		sums <- h.Sum(nil)
	}()
	c, err := n["a"].DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 8<<20)
	_, _ = rand.Read(data)
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if want := sha256.Sum256(data); !bytes.Equal(<-sums, want[:]) {
		t.Error("what arrived is not what was sent")
	}
}

// TestDelayCarriesSegmentedDatagrams sends many datagrams in one call, as
// wireguard-go does: between veths they travel as one frame.
func TestDelayCarriesSegmentedDatagrams(t *testing.T) {
	u, n := segment(t)
	if err := u.Delay("a", "b", 5*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	server, err := n["b"].ListenPacket("udp", "192.0.2.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := n["a"].DialContext(context.Background(), "udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const size, count = 1000, 20
	var optErr error
	err = raw.Control(func(fd uintptr) {
		optErr = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size)
	})
	if err := errors.Join(err, optErr); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, size*count)
	for i := range count {
		data[i*size] = byte(i)
	}
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2*size)
	_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
	for i := range count {
		got, _, err := server.ReadFrom(buf)
		if err != nil || got != size || buf[0] != byte(i) {
			t.Fatalf("datagram %d: %d bytes, number %d, %v", i, got, buf[0], err)
		}
	}
}

func TestRefused(t *testing.T) {
	u, n := segment(t)
	for what, err := range map[string]error{
		"unknown node":     u.Cut("a", "nobody"),
		"loss above one":   u.Drop("a", "b", 1.5),
		"negative delay":   u.Delay("a", "b", -time.Second),
		"attached already": u.Attach("a", n["a"].NS, netip.MustParsePrefix("192.0.2.9/24")),
		"name in use":      second(),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second() error { _, err := New("underlay"); return err }
