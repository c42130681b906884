// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"testing"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/world"
)

func TestMain(m *testing.M) { world.Main(m) }

// BenchmarkLabStart starts and ends labs of one to three clusters; only the
// start counts.
func BenchmarkLabStart(b *testing.B) {
	sandbox.Need(b)
	for clusters := 1; clusters <= 3; clusters++ {
		b.Run(fmt.Sprintf("clusters=%d", clusters), func(b *testing.B) {
			config := lab.Config{}
			for i := range clusters {
				config.Clusters = append(config.Clusters, lab.ClusterConfig{Name: fmt.Sprintf("cluster%d", i+1)})
			}
			for b.Loop() {
				l, err := lab.Start(b.Context(), config)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// start is a world with the guestbook in force.
func start(b *testing.B) *world.World {
	b.Helper()
	sandbox.Need(b)
	w, err := world.Start(b.Context(), world.Config{Bin: os.Getenv(world.BinVariable)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := w.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := w.Policies(); err != nil {
		b.Fatal(err)
	}
	if err := w.StartAgents(b.Context()); err != nil {
		b.Fatal(err)
	}
	reconcile(b, w, "--wait")
	return w
}

func reconcile(b *testing.B, w *world.World, args ...string) {
	b.Helper()
	if _, err := w.Push("change"); err != nil {
		b.Fatal(err)
	}
	out, err := w.Reconcile(b.Context(), args...)
	if err != nil || out.Code != 0 {
		b.Fatalf("reconcile: exit code %d, %v\n%s", out.Code, err, out.Stderr)
	}
}

// BenchmarkCommitToApplied changes one policy, commits, pushes over HTTP and
// reconciles two clusters, with the program started anew each time.
func BenchmarkCommitToApplied(b *testing.B) {
	w := start(b)
	for i := 0; b.Loop(); i++ {
		if err := w.Work.Write(world.FrontendFile, world.SharedFrontend(1+i%99, 50)); err != nil {
			b.Fatal(err)
		}
		reconcile(b, w)
	}
}

// BenchmarkNothingToDo reconciles two clusters that hold everything already.
func BenchmarkNothingToDo(b *testing.B) {
	w := start(b)
	for b.Loop() {
		out, err := w.Reconcile(b.Context())
		if err != nil || out.Code != 0 || out.Stdout != "" {
			b.Fatalf("reconcile: exit code %d, %v\n%s", out.Code, err, out.Stdout)
		}
	}
}
