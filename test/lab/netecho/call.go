// SPDX-License-Identifier: Apache-2.0

package netecho

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Dial connects; net.Dialer and netns.NS have such a method.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Tally counts what became of many connections.
type Tally struct {
	// Answers counts equal answers, Failures equal reasons.
	Answers, Failures map[string]int
}

// Call makes count connections one after the other, asks once on each, and
// gives each at most timeout.
func Call(ctx context.Context, dial Dial, address string, count int, timeout time.Duration) Tally {
	t := Tally{Answers: map[string]int{}, Failures: map[string]int{}}
	for range count {
		answer, err := ask(ctx, dial, address, timeout)
		if err != nil {
			t.Failures[reason(err)]++
			continue
		}
		t.Answers[answer]++
	}
	return t
}

// ask makes one connection, sends one line and reads one.
func ask(ctx context.Context, dial Dial, address string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := dial(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	if _, err := io.WriteString(c, "who\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

// reason is an error without addresses and ports, so that equal failures count
// together.
func reason(err error) string {
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

// String is one line per answer and failure, the most frequent first.
func (t Tally) String() string {
	var b strings.Builder
	write := func(counts map[string]int, prefix string) {
		order := func(x, y string) int { return cmp.Or(counts[y]-counts[x], strings.Compare(x, y)) }
		for _, k := range slices.SortedFunc(maps.Keys(counts), order) {
			fmt.Fprintf(&b, "%6d %s%s\n", counts[k], prefix, k)
		}
	}
	write(t.Answers, "")
	write(t.Failures, "failed: ")
	return b.String()
}

// Loss counts the datagrams of a stream.
type Loss struct {
	Sent, Answered int
	// LongestGap is the longest time without an answer between two answers, and
	// between the first datagram and the first answer.
	LongestGap time.Duration
}

// Lost is the number of datagrams without an answer.
func (l Loss) Lost() int { return l.Sent - l.Answered }

// String is one line.
func (l Loss) String() string {
	return fmt.Sprintf("sent=%d answered=%d lost=%d longest-gap=%s",
		l.Sent, l.Answered, l.Lost(), l.LongestGap.Round(time.Millisecond))
}

// settle is how long a stream waits for late answers after its last datagram.
const settle = 500 * time.Millisecond

// Stream sends numbered datagrams from one socket at an interval, until count
// are sent (0: without end) or ctx ends, and counts the answers. Only failing
// to connect is an error: a refused datagram is a lost one.
func Stream(ctx context.Context, dial Dial, address string, interval time.Duration, count int) (Loss, error) {
	c, err := dial(ctx, "udp", address)
	if err != nil {
		return Loss{}, err
	}
	defer c.Close()
	var loss Loss
	var receiver sync.WaitGroup
	start := time.Now()
	receiver.Go(func() { loss.Answered, loss.LongestGap = receive(c, start) })
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for loss.Sent < count || count == 0 {
		_, _ = fmt.Fprintf(c, "%d", loss.Sent)
		loss.Sent++
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	_ = c.SetReadDeadline(time.Now().Add(settle))
	receiver.Wait()
	return loss, nil
}

// receive counts distinct answers until the read deadline.
func receive(c net.Conn, last time.Time) (answered int, longest time.Duration) {
	seen := map[string]bool{}
	buf := make([]byte, 2048)
	for {
		n, err := c.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return len(seen), longest
		case err != nil: // an ICMP error for an earlier datagram
			continue
		}
		longest = max(longest, time.Since(last))
		last = time.Now()
		seen[firstWord(string(buf[:n]))] = true
	}
}

// firstWord is what stands before the first space.
func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}
