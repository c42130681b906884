// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fairlead/fairlead/test/world"
)

// chapter is one step of the demo.
type chapter struct {
	title string
	// tell does the step and returns why it did not hold.
	tell func(s *story, ctx context.Context) error
}

// chapters in the order in which they build on each other.
var chapters = []chapter{
	{"two clusters without a mesh, a workload in each, an empty git repository", (*story).setUp},
	{"an agent on every node", (*story).agents},
	{"push the policies, reconcile", (*story).firstPush},
	{"a second reconcile writes nothing", (*story).idle},
	{"pods reach the other cluster through the tunnel", (*story).reach},
	{"push a change: the frontend's requests are to be shared 75 to 25", (*story).shift},
	{"push a mistake", (*story).mistake},
	{"kill the agents: what runs keeps running", (*story).kill},
}

// story is a demo in progress.
type story struct {
	out   io.Writer
	bin   string
	begin time.Time
	world *world.World
	held  []string
}

// run tells all chapters; the first that does not hold ends it.
func (s *story) run(ctx context.Context) error {
	for i, c := range chapters {
		start := time.Now()
		fmt.Fprintf(s.out, "\n== %d. %s\n", i+1, c.title)
		if err := c.tell(s, ctx); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return fmt.Errorf("step %d (%s): %w", i+1, c.title, err)
		}
		s.held = append(s.held, fmt.Sprintf("%d. %-72s %5.1f s", i+1, c.title, time.Since(start).Seconds()))
	}
	return nil
}

// summary lists what was checked.
func (s *story) summary() {
	fmt.Fprintf(s.out, "\n== every step was checked (%.1f s)\n", time.Since(s.begin).Seconds())
	for _, line := range s.held {
		fmt.Fprintln(s.out, "  ok", line)
	}
}

// say prints a line with the time since the beginning.
func (s *story) say(format string, args ...any) {
	fmt.Fprintf(s.out, "%5.1f s  %s\n", time.Since(s.begin).Seconds(), fmt.Sprintf(format, args...))
}

// quote prints what a program said, indented.
func (s *story) quote(text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(s.out, "         | %s\n", strings.TrimRight(line, "\n"))
	}
}

// fairlead runs fairlead, shows what was typed and said, and checks the exit
// code.
func (s *story) fairlead(ctx context.Context, code int, args ...string) (world.Output, error) {
	start := time.Now()
	s.say("$ fairlead %s", strings.Join(args, " "))
	out, err := s.world.Fairlead(ctx, args...)
	if err != nil {
		return out, err
	}
	s.quote(out.Stdout)
	s.quote(out.Stderr)
	s.say("exit code %d after %.2f s", out.Code, time.Since(start).Seconds())
	if out.Code != code {
		return out, fmt.Errorf("fairlead %s ended with exit code %d, not %d", args[0], out.Code, code)
	}
	return out, nil
}
