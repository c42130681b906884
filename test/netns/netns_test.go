// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// newNS makes a namespace that ends with the test.
func newNS(t *testing.T, name string) *NS {
	t.Helper()
	sandbox.Need(t)
	n, err := New(name)
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

// joined makes two namespaces with a cable between them: 192.0.2.1 and
// 192.0.2.2, and the same in 2001:db8::/64.
func joined(t *testing.T) (a, b *NS) {
	t.Helper()
	a, b = newNS(t, "a"), newNS(t, "b")
	err := Cable(
		End{NS: a, Name: "to-b", Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")}},
		End{NS: b, Name: "to-a", Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")}, MTU: 1400},
	)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestStreamAcrossACable(t *testing.T) {
	a, b := joined(t)
	for _, address := range []string{"192.0.2.2:0", "[2001:db8::2]:0"} {
		l, err := b.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err == nil {
				_, _ = io.WriteString(c, c.RemoteAddr().String())
				c.Close()
			}
		}()
		c, err := a.DialContext(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := io.ReadAll(c)
		if err != nil || string(seen) != c.LocalAddr().String() {
			t.Errorf("the listener saw %q (%v), want %s", seen, err, c.LocalAddr())
		}
		c.Close()
		l.Close()
	}
}

func TestProgramRunsInside(t *testing.T) {
	a, b := joined(t)
	out, err := a.Command(context.Background(), "ip", "-br", "address", "show", "to-b").Output()
	if err != nil || !strings.Contains(string(out), "192.0.2.1/24") {
		t.Errorf("ip said %q, %v", out, err)
	}
	out, err = b.Command(context.Background(), "cat", "/sys/class/net/none", "/proc/net/dev").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "to-a") || !strings.Contains(string(out), "none") {
		t.Errorf("cat said %q, %v", out, err)
	}
	out, err = b.Command(context.Background(), "ip", "netns", "exec", "a", "cat", "/proc/net/dev").Output()
	if err != nil || !strings.Contains(string(out), "to-b") {
		t.Errorf("ip netns exec said %q, %v", out, err)
	}
}

// TestThreadsComeHome runs many functions at once and then looks where ordinary
// goroutines run.
func TestThreadsComeHome(t *testing.T) {
	a := newNS(t, "a")
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			var inside string
			err := a.Do(func() (err error) {
				inside, err = os.Readlink("/proc/thread-self/ns/net")
				return err
			})
			if err != nil || inside == home {
				t.Errorf("ran in %s, %v", inside, err)
			}
			_ = a.Do(func() error { runtime.Goexit(); return nil })
		})
		wg.Go(func() {
			if got, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || got != home {
				t.Errorf("an ordinary goroutine runs in %s, want %s (%v)", got, home, err)
			}
		})
	}
	wg.Wait()
}

func TestDoReportsErrors(t *testing.T) {
	a := newNS(t, "a")
	if err := a.Do(func() error { return io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if err := a.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("a function that did not return gave no error")
	}
}

func TestClose(t *testing.T) {
	sandbox.Need(t)
	n, err := New("gone")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New("gone"); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second namespace of the same name: %v", err)
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(n.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", n.Path(), err)
	}
	if _, err := n.Handle(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("handle after close: %v", err)
	}
	if err := n.Do(func() error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed namespace was entered: %v", err)
	}
}

func TestRefused(t *testing.T) {
	a := newNS(t, "a")
	if _, err := New("x/y"); err == nil {
		t.Error("a name with a slash was taken")
	}
	if _, err := a.Listen("tcp", "localhost:80"); err == nil {
		t.Error("Listen took a name")
	}
	if _, err := a.ListenPacket("udp", "localhost:80"); err == nil {
		t.Error("ListenPacket took a name")
	}
	if _, err := a.DialContext(context.Background(), "tcp", "localhost:80"); err == nil {
		t.Error("DialContext took a name")
	}
	if err := Cable(End{NS: a, Name: "sixteen-letters1"}, End{NS: a, Name: "b"}); err == nil {
		t.Error("a name of 16 characters was taken")
	}
	bad := End{NS: a, Name: "y", MTU: 1}
	if err := Cable(End{NS: a, Name: "x"}, bad); err == nil {
		t.Error("an MTU of 1 was taken")
	}
	if err := a.Do(func() error { _, err := net.InterfaceByName("x"); return err }); err == nil {
		t.Error("an interface was left behind")
	}
}

func TestCurrent(t *testing.T) {
	a := newNS(t, "a")
	here, err := Current("here")
	if err != nil {
		t.Fatal(err)
	}
	if err := Cable(End{NS: here, Name: "here0"}, End{NS: a, Name: "a0"}); err != nil {
		t.Fatal(err)
	}
	if _, err := net.InterfaceByName("here0"); err != nil {
		t.Error(err)
	}
	if err := here.Close(); err != nil {
		t.Error(err)
	}
	c, err := a.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
