// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// socketDir is where wireguard-go puts its control sockets, and wgctrl and
	// wg(8) look for them.
	socketDir = "/var/run/wireguard"
	// startTimeout is how long a device process may take until it answers, on a
	// machine that is very busy.
	startTimeout = 10 * time.Second
	// endTimeout is how long it may take to end, once its interface is gone.
	endTimeout = 3 * time.Second
	// answerTimeout is how long it may take to answer one question.
	answerTimeout = 5 * time.Second
	// pollInterval is how often we look whether it has started or ended.
	pollInterval = 10 * time.Millisecond
	// maxLog is the size in bytes at which a device's log starts anew.
	maxLog = 1 << 20
)

// Processes starts device processes. The zero value does not work.
type Processes struct {
	// Command is the program and the arguments that lead to RunDevice; the
	// interface's name and alias are added.
	Command []string
	// LogDir is where the output of each device goes, as NAME.log.
	LogDir string
}

// Start starts a device process in the network namespace of the calling thread
// and returns when it can be configured. It is in a session of its own, so that
// what ends the agent does not reach it.
func (p Processes) Start(ctx context.Context, name, alias string) error {
	// One that is ending loses its interface first, and its UDP port after that.
	if err := p.Gone(ctx, name); err != nil {
		return err
	}
	log, err := p.openLog(name)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(append([]string{}, p.Command[1:]...), name, alias)
	cmd := exec.Command(p.Command[0], args...)
	cmd.Dir = "/"
	cmd.Env = []string{} // nothing of the agent's environment is its business
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the WireGuard process of %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err = poll(ctx, startTimeout, func() (bool, error) {
		select {
		case err := <-ended:
			return false, fmt.Errorf("it ended at once (%v): %s", err, lastLine(log.Name()))
		default:
			return p.Alive(name)
		}
	})
	if err != nil {
		return fmt.Errorf("start the WireGuard process of %s: %w", name, err)
	}
	return nil
}

// openLog opens the log file of a device, and begins it anew when it is long.
func (p Processes) openLog(name string) (*os.File, error) {
	path := filepath.Join(p.LogDir, name+".log")
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	return f, nil
}

// Alive says whether the process behind an interface answers.
func (Processes) Alive(name string) (bool, error) {
	c, err := net.Dial("unix", socketPath(name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reach the WireGuard process of %s: %w", name, err)
	}
	defer c.Close()
	if err := sameNamespace(c.(*net.UnixConn), name); err != nil {
		return false, err
	}
	_ = c.SetDeadline(time.Now().Add(answerTimeout)) // cannot fail on an open socket
	if _, err := c.Write([]byte("get=1\n\n")); err != nil {
		return false, nil
	}
	n, err := c.Read(make([]byte, 1))
	return n == 1 && err == nil, nil
}

// sameNamespace refuses a process that is in another network namespace: its
// interface has our name, and its control socket our path.
func sameNamespace(c *net.UnixConn, name string) error {
	pid, err := listener(c)
	if err != nil {
		return fmt.Errorf("find the WireGuard process of %s: %w", name, err)
	}
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil // it is ending
	}
	ours, err := os.Readlink("/proc/thread-self/ns/net")
	if err == nil && ours != theirs {
		err = fmt.Errorf("process %d in another network namespace has a WireGuard interface of the name %s", pid, name)
	}
	return err
}

// listener is the process that listens at the other end of a connection.
func listener(c *net.UnixConn) (pid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(controlErr, err); err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}

func socketPath(name string) string { return filepath.Join(socketDir, name+".sock") }

// poll asks until done says yes or fails, or the time is over.
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it took longer than %s", limit)
		case <-time.After(pollInterval):
		}
	}
}

// lastLine is the end of a log, for a message.
func lastLine(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "no log"
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return lines[len(lines)-1]
}
