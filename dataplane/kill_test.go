// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// stream sends numbered datagrams from q1 to p1 through the tunnel and counts
// what arrives.
type stream struct {
	to     net.Conn
	at     net.PacketConn
	stop   chan struct{}
	sender sync.WaitGroup
	sent   atomic.Uint32

	mu   sync.Mutex
	seen map[uint32]bool
}

// gap between two datagrams: a thousand a second.
const gap = time.Millisecond

func newStream(t *testing.T, w *world) *stream {
	t.Helper()
	s := &stream{stop: make(chan struct{}), seen: map[uint32]bool{}}
	var err error
	if s.at, err = w.pods["p1"].ListenPacket("udp", podAddress["p1"]+":7000"); err != nil {
		t.Fatal(err)
	}
	if s.to, err = w.pods["q1"].DialContext(t.Context(), "udp", podAddress["p1"]+":7000"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.at.Close(); s.to.Close() })
	go s.receive()
	return s
}

func (s *stream) receive() {
	b := make([]byte, 64)
	for {
		n, _, err := s.at.ReadFrom(b)
		if err != nil {
			return
		}
		if n == 4 {
			s.mu.Lock()
			s.seen[binary.BigEndian.Uint32(b)] = true
			s.mu.Unlock()
		}
	}
}

// send sends until the stream is stopped.
func (s *stream) send() {
	defer s.sender.Done()
	tick := time.NewTicker(gap)
	defer tick.Stop()
	b := make([]byte, 4)
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			binary.BigEndian.PutUint32(b, s.sent.Load())
			_, _ = s.to.Write(b) // what is not sent is lost, and counted
			s.sent.Add(1)
		}
	}
}

// more waits until so many more datagrams were sent.
func (s *stream) more(t *testing.T, n uint32) {
	t.Helper()
	until := s.sent.Load() + n
	eventually(t, time.Minute, func() bool { return s.sent.Load() >= until }, func() string {
		return fmt.Sprintf("only %d datagrams were sent", s.sent.Load())
	})
}

// lost waits for the last datagrams and counts those that did not arrive.
func (s *stream) lost(t *testing.T) int {
	t.Helper()
	close(s.stop)
	s.sender.Wait()
	missing := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for i := range s.sent.Load() {
			if !s.seen[i] {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(2 * time.Second); missing() > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d of %d datagrams lost", missing(), s.sent.Load())
	return missing()
}

// TestKillLosesNothing kills both gateways' agents during a stream, starts them
// again and kills them again. The new agents find nothing to do.
func TestKillLosesNothing(t *testing.T) {
	w := newWorld(t)
	agents := bringUp(t, w)
	w.serve("p1", 8080)
	expect(t, w.pods["q1"], "10.1.1.2:8080", "p1 sees 10.2.1.2")
	before := normal(dump(t, w.nodes["n1"].ns))
	s := newStream(t, w)
	s.sender.Add(1)
	go s.send()
	for range 2 {
		for _, name := range []string{"n1", "n3"} {
			s.more(t, 300)
			agents[name].end(syscall.SIGKILL)
			s.more(t, 300)
			a := start(t, w.nodes[name])
			a.says("msg=ready")
			if strings.Contains(a.log.String(), "op=") {
				t.Errorf("%s: the new agent changed something:\n%s", name, a.log)
			}
			agents[name] = a
		}
	}
	if n := s.lost(t); n > 0 {
		t.Errorf("%d datagrams lost", n)
	}
	if after := normal(dump(t, w.nodes["n1"].ns)); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}
