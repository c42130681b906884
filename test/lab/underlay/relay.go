// SPDX-License-Identifier: Apache-2.0

package underlay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/test/netns"
)

const (
	// virtioHeader precedes each frame on a packet socket that asked for it.
	// It keeps what the kernel still has to do with a frame: between veths TCP
	// segments travel unsegmented (64 KiB) and without a checksum.
	virtioHeader = 10
	maxFrame     = virtioHeader + 65536 + 64
	// relayQueue bounds the frames under way, as a slow link's buffers do:
	// 100 ms at 1 Gbit/s of full frames is about 8,000.
	relayQueue = 8192
	// relayBuffer is the socket's receive buffer in bytes.
	relayBuffer = 8 << 20

	etherTypeIPv4, etherTypeIPv6 = 0x0800, 0x86dd
)

// relay carries one direction of a slow link.
type relay struct {
	in, out *os.File
	to      net.HardwareAddr
	c       Condition
	queue   chan frame
	stop    chan struct{}
	done    sync.WaitGroup
}

// frame is a frame, its virtio header included, and when it is due.
type frame struct {
	due  time.Time
	data []byte
}

// startRelay begins to carry frames from one port to another.
func startRelay(ns *netns.NS, from, to port, c Condition) (*relay, error) {
	const all, none = unix.ETH_P_ALL, 0
	in, err := packetSocket(ns, from.name, all)
	if err != nil {
		return nil, err
	}
	out, err := packetSocket(ns, to.name, none)
	if err != nil {
		in.Close()
		return nil, err
	}
	r := &relay{in: in, out: out, to: to.mac, c: c, queue: make(chan frame, relayQueue), stop: make(chan struct{})}
	r.done.Go(r.read)
	r.done.Go(r.write)
	return r, nil
}

// packetSocket opens a socket that sees what comes in at an interface, and
// sends out of it. Protocol 0 sees nothing.
func packetSocket(ns *netns.NS, name string, protocol uint16) (*os.File, error) {
	var fd int
	err := ns.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		for _, o := range [][3]int{
			{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1},
			{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
			{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, relayBuffer},
		} {
			if err := unix.SetsockoptInt(fd, o[0], o[1], o[2]); err != nil {
				unix.Close(fd)
				return err
			}
		}
		bigEndian := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, protocol))
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian, Ifindex: ifi.Index}); err != nil {
			unix.Close(fd)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket on %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// read queues the link's frames until the socket is closed. A full queue drops,
// as a router does.
func (r *relay) read() {
	buf := make([]byte, maxFrame)
	for {
		n, err := r.in.Read(buf)
		if err != nil {
			return
		}
		if !wanted(buf[:n], r.to) || rand.Float64() < r.c.Loss {
			continue
		}
		select {
		case r.queue <- frame{due: time.Now().Add(r.c.Delay), data: bytes.Clone(buf[:n])}:
		default:
		}
	}
}

// write sends each frame when it is due. A frame the kernel refuses is lost.
func (r *relay) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.stop:
			return
		case f := <-r.queue:
			timer.Reset(time.Until(f.due))
			select {
			case <-r.stop:
				return
			case <-timer.C:
			}
			_, _ = r.out.Write(f.data)
		}
	}
}

// wanted reports whether a frame is one that the bridge drops on a slow link:
// IP to the node at the other end.
func wanted(b []byte, to net.HardwareAddr) bool {
	const macs, etherHeader = 12, 14
	if len(b) < virtioHeader+etherHeader {
		return false
	}
	b = b[virtioHeader:]
	kind := binary.BigEndian.Uint16(b[macs:])
	return bytes.Equal(b[:len(to)], to) && (kind == etherTypeIPv4 || kind == etherTypeIPv6)
}

// close stops the relay and waits for it.
func (r *relay) close() {
	close(r.stop)
	r.in.Close()
	r.out.Close()
	r.done.Wait()
}
