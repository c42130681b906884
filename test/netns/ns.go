// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Dir is where named network namespaces lie, as iproute2 has it.
const Dir = "/run/netns"

// NS is a network namespace. Its methods may be called concurrently. The zero
// value is not one: use New or Current.
type NS struct {
	name string
	fd   int

	mu     sync.Mutex
	handle *netlink.Handle
	closed bool
}

// New makes an empty network namespace with its loopback interface up. The name
// must be unused and a plain file name.
func New(name string) (*NS, error) {
	if name == "" || strings.ContainsAny(name, "/ \n") || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("make network namespace %q: not a plain file name", name)
	}
	path := filepath.Join(Dir, name)
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make network namespace %s: %w", name, err)
	}
	target, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o444)
	if err != nil {
		return nil, fmt.Errorf("make network namespace %s: %w", name, err)
	}
	target.Close()
	fd, err := unshare(path)
	if err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("make network namespace %s: %w", name, err)
	}
	n := &NS{name: name, fd: fd}
	if err := n.loopbackUp(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Current returns the network namespace of the calling thread. It has no name
// of its own below Dir; name is for messages.
func Current(name string) (*NS, error) {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the current network namespace: %w", err)
	}
	return &NS{name: name, fd: fd}, nil
}

// unshare makes a namespace on a thread that ends with it, and pins it to path.
func unshare(path string) (fd int, err error) {
	onOwnThread(func() (restored bool) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return true
		}
		const self = "/proc/thread-self/ns/net"
		if err = unix.Mount(self, path, "", unix.MS_BIND, ""); err != nil {
			return false
		}
		fd, err = unix.Open(self, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return false
	})
	return fd, err
}

// onOwnThread runs fn on a thread that no other goroutine uses meanwhile, and
// waits for it. Unless fn returns true, the thread is in a strange namespace:
// it stays locked, and the runtime ends it with its goroutine. So it does after
// a panic or Goexit in fn.
func onOwnThread(fn func() (restored bool)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread cannot end, and /proc/self stands for it. While
			// this goroutine holds it, the next one gets another.
			onOwnThread(fn)
			runtime.UnlockOSThread()
			return
		}
		if fn() {
			runtime.UnlockOSThread()
		}
	}()
	<-done
}

// Name is the name given to New.
func (n *NS) Name() string { return n.name }

// Path is the file that stands for the namespace, for programs that take one.
func (n *NS) Path() string { return filepath.Join(Dir, n.name) }

// Do runs fn on a thread inside the namespace and returns its error. What fn
// starts or opens stays there; goroutines that it starts do not run there. fn
// must return normally: t.Fatal inside it is reported as an error.
func (n *NS) Do(fn func() error) error {
	inside, err := n.open()
	if err != nil {
		return err
	}
	defer unix.Close(inside)
	err = errors.New("the function did not return")
	onOwnThread(func() (restored bool) {
		home, openErr := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if openErr != nil {
			err = fmt.Errorf("enter network namespace %s: %w", n.name, openErr)
			return true
		}
		defer unix.Close(home)
		if setErr := unix.Setns(inside, unix.CLONE_NEWNET); setErr != nil {
			err = fmt.Errorf("enter network namespace %s: %w", n.name, setErr)
			return true
		}
		err = fn()
		return unix.Setns(home, unix.CLONE_NEWNET) == nil
	})
	return err
}

// open returns a descriptor of the caller's own, which stays good when the
// namespace is closed meanwhile.
func (n *NS) open() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return 0, fmt.Errorf("enter network namespace %s: %w", n.name, os.ErrClosed)
	}
	fd, err := unix.FcntlInt(uintptr(n.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("enter network namespace %s: %w", n.name, err)
	}
	return fd, nil
}

// Handle returns the namespace's netlink handle. It is shared, strict about
// what the kernel answers, and closed by Close.
func (n *NS) Handle() (*netlink.Handle, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("open netlink in %s: %w", n.name, os.ErrClosed)
	}
	if n.handle != nil {
		return n.handle, nil
	}
	h, err := netlink.NewHandleAt(netns.NsHandle(n.fd), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink in %s: %w", n.name, err)
	}
	if err := h.SetStrictCheck(true); err != nil {
		h.Close()
		return nil, fmt.Errorf("open netlink in %s: %w", n.name, err)
	}
	n.handle = h
	return h, nil
}

// Close removes the name and lets go of the namespace. The kernel removes it
// and its interfaces when no process and no socket is left in it. Closing twice
// does nothing.
func (n *NS) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	if n.handle != nil {
		n.handle.Close()
	}
	errs := []error{unix.Close(n.fd)}
	var there, named unix.Stat_t
	if unix.Stat(n.Path(), &named) == nil && unix.Stat(Dir, &there) == nil && named.Dev != there.Dev {
		errs = append(errs, unix.Unmount(n.Path(), unix.MNT_DETACH), os.Remove(n.Path()))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close network namespace %s: %w", n.name, err)
	}
	return nil
}

// loopbackUp brings lo up.
func (n *NS) loopbackUp() error {
	h, err := n.Handle()
	if err != nil {
		return err
	}
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("bring lo up in %s: %w", n.name, err)
	}
	return nil
}
