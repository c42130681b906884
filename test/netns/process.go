// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
)

// Cmd is an exec.Cmd whose program starts in a network namespace. Its fields
// are set as usual. Do not set SysProcAttr.Pdeathsig: the thread that starts
// the program ends at once.
type Cmd struct {
	*exec.Cmd
	ns *NS
}

// Command prepares a program in the namespace. It is killed when ctx ends, as
// exec.CommandContext does.
func (n *NS) Command(ctx context.Context, argv ...string) *Cmd {
	return &Cmd{Cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), ns: n}
}

// Start starts the program.
func (c *Cmd) Start() error { return c.ns.Do(c.Cmd.Start) }

// Run starts the program and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the program and returns what it wrote to standard output. An
// *exec.ExitError carries what it wrote to standard error.
func (c *Cmd) Output() ([]byte, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout = &stdout
	if c.Stderr == nil {
		c.Stderr = &stderr
	}
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		exit.Stderr = stderr.Bytes()
	}
	return stdout.Bytes(), err
}

// CombinedOutput runs the program and returns what it wrote to standard output
// and standard error.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	var both bytes.Buffer
	c.Stdout, c.Stderr = &both, &both
	err := c.Run()
	return both.Bytes(), err
}

// Listen makes a stream listener in the namespace. The address is numeric
// (a name's lookup would run in another namespace), port 0 picks a free one.
func (n *NS) Listen(network, address string) (net.Listener, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, err
	}
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// ListenPacket makes a datagram socket in the namespace, as Listen does.
func (n *NS) ListenPacket(network, address string) (net.PacketConn, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, err
	}
	var c net.PacketConn
	err := n.Do(func() (err error) {
		c, err = net.ListenPacket(network, address)
		return err
	})
	return c, err
}

// DialContext connects from inside the namespace to a numeric address. It has
// the shape that http.Transport and rest.Config want.
func (n *NS) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, err
	}
	var c net.Conn
	err := n.Do(func() (err error) {
		c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}
