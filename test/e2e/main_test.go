// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/world"
)

func TestMain(m *testing.M) { world.Main(m) }

// bounded is a context for everything that a test waits for.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// start brings up a world that ends with the test. With agents, the guestbook
// is pushed and reconciled until nothing is pending.
func start(ctx context.Context, t *testing.T, agents bool) *world.World {
	t.Helper()
	return startNodes(ctx, t, 1, agents)
}

// startNodes is start with a number of nodes in each cluster.
func startNodes(ctx context.Context, t *testing.T, nodes int, agents bool) *world.World {
	t.Helper()
	sandbox.Need(t)
	w, err := world.Start(ctx, world.Config{Bin: os.Getenv(world.BinVariable), Nodes: nodes, Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Policies(); err != nil {
		t.Fatal(err)
	}
	push(t, w, "guestbook")
	if agents {
		runAgents(ctx, t, w)
	}
	return w
}

// runAgents starts the agents, and reconciles until nothing is pending.
func runAgents(ctx context.Context, t *testing.T, w *world.World) {
	t.Helper()
	if err := w.StartAgents(ctx); err != nil {
		t.Fatal(err)
	}
	reconcile(ctx, t, w, 0, "--wait", "--timeout", "60s")
}

// push commits and pushes the work tree.
func push(t *testing.T, w *world.World, message string) {
	t.Helper()
	if _, err := w.Push(message); err != nil {
		t.Fatal(err)
	}
}

// reconcile runs fairlead reconcile and checks its exit code.
func reconcile(ctx context.Context, t *testing.T, w *world.World, code int, args ...string) world.Output {
	t.Helper()
	out, err := w.Reconcile(ctx, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("reconcile %s → %d\n%s%s", strings.Join(args, " "), out.Code, out.Stdout, out.Stderr)
	if out.Code != code {
		t.Fatalf("exit code %d, not %d", out.Code, code)
	}
	return out
}

// versions are the resource versions of everything that was written.
func versions(ctx context.Context, t *testing.T, w *world.World) map[string]string {
	t.Helper()
	v, err := w.Versions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// contains fails the test unless text has every one of the wanted parts.
func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

// TestDemo runs the demo, which checks each of its own steps.
func TestDemo(t *testing.T) {
	sandbox.Need(t)
	demo := exec.CommandContext(bounded(t), filepath.Join(os.Getenv(world.BinVariable), "demo"))
	demo.Env = append(os.Environ(), world.BinVariable+"="+os.Getenv(world.BinVariable))
	out, err := demo.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(out), "every step was checked", "everything is removed")
}
