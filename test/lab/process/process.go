// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/netns"
)

// Spec says what to run.
type Spec struct {
	// Argv is the program and its arguments.
	Argv []string
	// Env is the whole environment. nil: this process's.
	Env []string
	// Dir is the working directory. Empty: this process's.
	Dir string
	// Log is the file that standard output and error are appended to.
	Log string
	// NS is the network namespace. nil: this process's.
	NS *netns.NS
	// Root is the directory that the program sees as /; Argv[0] and Dir are
	// then paths below it. Empty: this process's.
	Root string
}

// Process is a started program. Its methods may be called concurrently.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// Start starts a program. Nothing runs when it returns an error.
func Start(s Spec) (*Process, error) {
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Argv[0], err)
	}
	defer log.Close()
	path := s.Argv[0]
	if s.Root == "" {
		if path, err = lookUp(path, s.Env); err != nil {
			return nil, fmt.Errorf("start %s: %w", s.Argv[0], err)
		}
	}
	cmd := &exec.Cmd{Path: path, Args: s.Argv, Env: s.Env, Dir: s.Dir, Stdout: log, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Chroot: s.Root}}
	start := cmd.Start
	if s.NS != nil {
		start = func() error { return s.NS.Do(cmd.Start) }
	}
	if err := start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Argv[0], err)
	}
	p := &Process{cmd: cmd, log: s.Log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ExitCode tells how it ended
		// Children that the program left behind end with it, as they do when a
		// container's first process ends.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		close(p.done)
	}()
	return p, nil
}

// lookUp finds a program in the PATH of its own environment.
func lookUp(name string, env []string) (string, error) {
	if strings.Contains(name, "/") || env == nil {
		return exec.LookPath(name)
	}
	var path string
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	for dir := range strings.SplitSeq(path, ":") {
		if found, err := exec.LookPath(dir + "/" + name); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// Pid is the program's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is 128 plus the signal's number when a signal ended the program. It
// may be called after Done.
func (p *Process) ExitCode() int {
	const signalBase = 128
	ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return signalBase + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// Kill ends the program and its children at once and waits for it.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
	<-p.done
}

// Stop asks the program to end, and kills it and its children when it has not
// within the grace or ctx.
func (p *Process) Stop(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	_ = syscall.Kill(p.Pid(), syscall.SIGTERM)
	select {
	case <-p.done:
	case <-ctx.Done():
		p.Kill()
	}
}

// Tail is the end of the log, for messages about a program that misbehaves.
func (p *Process) Tail() string {
	const length = 2048
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > length {
		_, _ = f.Seek(-length, io.SeekEnd)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Wait polls ready, which returns nil when the program is ready, until then. It
// gives up when the program or ctx ends, and says what the program last said.
func (p *Process) Wait(ctx context.Context, ready func(context.Context) error) error {
	const interval = 25 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended with code %d, saying last:\n%s", p.cmd.Args[0], p.ExitCode(), p.Tail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w); it said last:\n%s", p.cmd.Args[0], ctx.Err(), err, p.Tail())
		case <-tick.C:
		}
	}
}
