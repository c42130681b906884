// SPDX-License-Identifier: Apache-2.0

package netecho

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
)

// Identity is what a server says of itself.
type Identity struct {
	Pod, Cluster string
}

// FromEnvironment is the identity that the lab gives to a container.
func FromEnvironment() Identity {
	return Identity{Pod: os.Getenv("POD_NAME"), Cluster: os.Getenv("CLUSTER_NAME")}
}

// answer is the line for a peer; the port is left out so that answers of many
// connections are equal.
func (id Identity) answer(peer net.Addr) string {
	seen := "unknown"
	if ap, err := netip.ParseAddrPort(peer.String()); err == nil {
		seen = ap.Addr().Unmap().String()
	}
	return fmt.Sprintf("pod=%s cluster=%s peer=%s", id.Pod, id.Cluster, seen)
}

// ServeStream answers every line of every connection until the listener is
// closed.
func (id Identity) ServeStream(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			for lines := bufio.NewScanner(c); lines.Scan(); {
				if _, err := fmt.Fprintln(c, id.answer(c.RemoteAddr())); err != nil {
					return
				}
			}
		}()
	}
}

// ServePackets answers every datagram with its first word (its number) and the
// line, until the socket is closed.
func (id Identity) ServePackets(c net.PacketConn) error {
	buf := make([]byte, 2048)
	for {
		n, peer, err := c.ReadFrom(buf)
		if err != nil {
			return err
		}
		// A peer that went away is its own affair.
		_, _ = c.WriteTo([]byte(firstWord(string(buf[:n]))+" "+id.answer(peer)), peer)
	}
}
