// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// shell starts a shell script that logs to a file of the test.
func shell(t *testing.T, script string, edit func(*Spec)) *Process {
	t.Helper()
	s := Spec{Argv: []string{"sh", "-c", script}, Log: filepath.Join(t.TempDir(), "log")}
	if edit != nil {
		edit(&s)
	}
	p, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// waitFor waits until the log says something.
func waitFor(t *testing.T, p *Process, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := p.Wait(ctx, func(context.Context) error {
		if !strings.Contains(p.Tail(), text) {
			return errors.New("not said")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnds(t *testing.T) {
	for script, want := range map[string]int{"exit 3": 3, "kill -9 $$": 128 + 9} {
		p := shell(t, script, nil)
		<-p.Done()
		if got := p.ExitCode(); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
	}
}

func TestEnvironmentDirectoryAndNamespace(t *testing.T) {
	sandbox.Need(t)
	ns, err := netns.New("inside")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	home, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	p := shell(t, `echo "$X in $(pwd) in $(readlink /proc/self/ns/net)"`, func(s *Spec) {
		s.Env, s.Dir, s.NS = []string{"X=y", "PATH=/usr/bin:/bin"}, "/usr", ns
	})
	<-p.Done()
	if got := p.Tail(); !strings.HasPrefix(got, "y in /usr in net:") || strings.Contains(got, home) {
		t.Errorf("said %q", got)
	}
}

func TestStopAsksFirst(t *testing.T) {
	p := shell(t, `trap 'echo asked; exit 5' TERM; echo up; while :; do sleep 0.01; done`, nil)
	waitFor(t, p, "up")
	p.Stop(context.Background(), 10*time.Second)
	if p.ExitCode() != 5 || !strings.Contains(p.Tail(), "asked") {
		t.Errorf("code %d, said %q", p.ExitCode(), p.Tail())
	}
}

func TestStopKillsTheStubbornAndItsChildren(t *testing.T) {
	p := shell(t, `trap '' TERM; sleep 1000 & echo child $! up; wait; while :; do sleep 1; done`, nil)
	waitFor(t, p, "up")
	p.Stop(context.Background(), 50*time.Millisecond)
	if got, want := p.ExitCode(), 128+int(syscall.SIGKILL); got != want {
		t.Errorf("code %d, want %d", got, want)
	}
	child := strings.Fields(p.Tail())[1]
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat("/proc/" + child); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("child %s stayed", child)
		}
	}
}

func TestWaitReportsAnEnd(t *testing.T) {
	never := func(context.Context) error { return errors.New("not yet") }
	p := shell(t, "echo last words; exit 1", nil)
	err := p.Wait(context.Background(), never)
	if err == nil || !strings.Contains(err.Error(), "code 1") || !strings.Contains(err.Error(), "last words") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = shell(t, "sleep 1000", nil).Wait(ctx, never)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("got %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for name, s := range map[string]Spec{
		"no such program":            {Argv: []string{"no-such-program"}, Log: log},
		"no such program in its own": {Argv: []string{"sh"}, Env: []string{"PATH=/nonexistent"}, Log: log},
		"no such log":                {Argv: []string{"sh"}, Log: "/nonexistent/log"},
		"no such directory":          {Argv: []string{"sh"}, Dir: "/nonexistent", Log: log},
	} {
		if _, err := Start(s); err == nil || !strings.Contains(err.Error(), s.Argv[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRootIsAllThatThereIs(t *testing.T) {
	sandbox.Need(t)
	root := t.TempDir()
	if _, err := Start(Spec{Argv: []string{"/bin/sh"}, Dir: "/", Root: root, Log: filepath.Join(t.TempDir(), "log")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty root has a shell: %v", err)
	}
}
