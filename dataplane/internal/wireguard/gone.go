// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Gone returns when the process of a removed interface has ended, so that its
// control socket and its UDP port are free. One that does not end by itself,
// because it hangs, is killed. There may have been none.
func (p Processes) Gone(ctx context.Context, name string) error {
	ended := func() (bool, error) {
		pids, err := p.find(name)
		return len(pids) == 0, err
	}
	err := poll(ctx, endTimeout, ended)
	if err != nil {
		err = errors.Join(p.kill(name), poll(ctx, endTimeout, ended))
	}
	if err != nil {
		return fmt.Errorf("end the WireGuard process of %s: %w", name, err)
	}
	err = os.Remove(socketPath(name)) // what a killed process leaves
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// kill ends the processes of an interface.
func (p Processes) kill(name string) error {
	pids, err := p.find(name)
	for _, pid := range pids {
		if killErr := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(killErr, syscall.ESRCH) {
			err = errors.Join(err, killErr)
		}
	}
	return err
}

// find returns the processes of an interface in our network namespace: the one
// that listens on its control socket, and those that were started for it. The
// socket alone does not tell, because its file can be removed while the process
// still holds the UDP port.
func (p Processes) find(name string) ([]int, error) {
	pids, err := p.started(name)
	if err != nil {
		return nil, err
	}
	c, err := net.Dial("unix", socketPath(name))
	if err != nil {
		return pids, nil
	}
	defer c.Close()
	if err := sameNamespace(c.(*net.UnixConn), name); err != nil {
		return nil, err
	}
	pid, err := listener(c.(*net.UnixConn))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(pids, pid) {
		pids = append(pids, pid)
	}
	return pids, nil
}

// started returns the processes that Start started for an interface, by their
// command lines: whoever started them may be gone.
func (p Processes) started(name string) ([]int, error) {
	if len(p.Command) == 0 {
		return nil, nil
	}
	// What leads to RunDevice comes last in the command, then the name.
	wanted := "\x00" + p.Command[len(p.Command)-1] + "\x00" + name + "\x00"
	ours, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("look for the WireGuard process of %s: %w", name, err)
	}
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, fmt.Errorf("look for the WireGuard process of %s: %w", name, err)
	}
	var pids []int
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(line), wanted) {
			continue // ended meanwhile, or another's
		}
		theirs, err := os.Readlink(filepath.Join(filepath.Dir(path), "ns/net"))
		pid, numberErr := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && numberErr == nil && theirs == ours {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
