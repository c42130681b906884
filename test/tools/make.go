// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Make builds what is missing and writes one line per program to progress; it
// writes nothing when nothing is missing. Programs appear under their names
// only when complete, and a lock file keeps concurrent runs from doing the same
// work twice, so Make may be interrupted or run in parallel at any time.
func (s Store) Make(ctx context.Context, progress io.Writer) error {
	if len(s.Missing()) == 0 {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("make the tools' directory: %w", err)
	}
	unlock, err := s.lock(progress)
	if err != nil {
		return err
	}
	defer unlock()
	for _, t := range s.Missing() {
		if err := s.build(ctx, t, progress); err != nil {
			return fmt.Errorf("build %s: %w", t.Name, err)
		}
	}
	return nil
}

// lock waits for the Store's lock and returns what releases it. The kernel
// releases it too when the holder dies.
func (s Store) lock(progress io.Writer) (func(), error) {
	f, err := os.OpenFile(filepath.Join(s.Dir, ".lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the tools' lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		fmt.Fprintln(progress, "tools: waiting for another build of the same tools")
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the tools' directory: %w", err)
	}
	return func() { f.Close() }, nil
}

// build puts one program into the Store: a link to what an earlier Store built
// from the same sources, or to what it compiles now.
func (s Store) build(ctx context.Context, t Tool, progress io.Writer) error {
	key, err := t.key(s.Source)
	if err != nil {
		return err
	}
	built := filepath.Join(filepath.Dir(s.Dir), t.Name+"-"+key)
	if _, err := os.Stat(built); err != nil {
		start := time.Now()
		fmt.Fprintf(progress, "tools: building %s ...\n", t.Name)
		if err := s.compile(ctx, t, built, progress); err != nil {
			return err
		}
		fmt.Fprintf(progress, "tools: built %s in %.0f s\n", t.Name, time.Since(start).Seconds())
	}
	return os.Link(built, s.Path(t.Name))
}

// compile builds beside the final name and renames into place.
func (s Store) compile(ctx context.Context, t Tool, built string, progress io.Writer) error {
	partial := s.Path("." + t.Name + ".partial")
	defer os.Remove(partial)
	// Lowest priority: these are minutes of both cores, and whoever waits for
	// them usually wants to go on working.
	cmd := exec.CommandContext(ctx, "nice", "-n", "19",
		"go", "build", "-mod=readonly", "-ldflags", t.LDFlags, "-o", partial, t.Package)
	cmd.Dir = filepath.Join(s.Source, t.Module)
	// GOWORK and GOFLAGS of the user's own work must not reach the nested modules.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false")
	cmd.Stdout, cmd.Stderr = progress, progress
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.Rename(partial, built)
}
