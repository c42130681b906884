// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairlead/fairlead/test/lab/netecho"
)

// Output is what a program said.
type Output struct {
	Code           int
	Stdout, Stderr string
}

// Fairlead runs the fairlead program.
func (w *World) Fairlead(ctx context.Context, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, "fairlead"), args...)
	cmd.Dir = w.Work.Dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		out.Code = exit.ExitCode()
		err = nil
	}
	return out, err
}

// ReconcileArgs are the arguments of a reconcile of the pushed repository.
func (w *World) ReconcileArgs(more ...string) []string {
	return append([]string{"reconcile", "--repo", w.RepositoryURL(), "--ref", "main",
		"--kubeconfig", w.Lab.Kubeconfig()}, more...)
}

// Reconcile runs fairlead reconcile on the pushed repository.
func (w *World) Reconcile(ctx context.Context, more ...string) (Output, error) {
	return w.Fairlead(ctx, w.ReconcileArgs(more...)...)
}

// trafficTests says what the guestbook as it is must do.
const trafficTests = "traffictest.yaml"

// Policies copies the guestbook's policies into the work tree, without the
// traffic tests: stories change on purpose what those would keep.
func (w *World) Policies() error {
	from := filepath.Join(w.root, "policies-example/guestbook/policies")
	return fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == trafficTests {
			return err
		}
		text, err := os.ReadFile(filepath.Join(from, path))
		if err != nil {
			return err
		}
		return w.Work.Write(path, string(text))
	})
}

// Edit replaces the only occurrence of a text in a file of the work tree.
func (w *World) Edit(path, old, new string) error {
	text, err := os.ReadFile(filepath.Join(w.Work.Dir, path))
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), old); n != 1 {
		return fmt.Errorf("edit %s: %q stands there %d times", path, old, n)
	}
	return w.Work.Write(path, strings.Replace(string(text), old, new, 1))
}

// Push commits the work tree and pushes it; it returns the revision.
func (w *World) Push(message string) (string, error) {
	revision, err := w.Work.Commit(message)
	if err != nil {
		return "", err
	}
	return revision, w.Work.Push(false)
}

// callTimeout bounds one connection of a visitor.
const callTimeout = 3 * time.Second

// streamInterval is the pause between two datagrams of a stream.
const streamInterval = 10 * time.Millisecond

// Calls makes connections from the visitor pod of a cluster, one after the
// other.
func (w *World) Calls(ctx context.Context, cluster, address string, count int) (netecho.Tally, error) {
	ns, err := w.Lab.Cluster(cluster).PodNS(Namespace, Visitor)
	if err != nil {
		return netecho.Tally{}, err
	}
	return netecho.Call(ctx, ns.DialContext, address, count, callTimeout), nil
}

// ByCluster adds the counts of answers up per answering cluster.
func ByCluster(counts map[string]int) map[string]int {
	sums := map[string]int{}
	for answer, n := range counts {
		for field := range strings.FieldsSeq(answer) {
			if cluster, ok := strings.CutPrefix(field, "cluster="); ok {
				sums[cluster] += n
			}
		}
	}
	return sums
}

// Stream sends datagrams from the visitor pod of a cluster every 10 ms and
// counts the answers.
func (w *World) Stream(ctx context.Context, cluster, address string, count int) (netecho.Loss, error) {
	ns, err := w.Lab.Cluster(cluster).PodNS(Namespace, Visitor)
	if err != nil {
		return netecho.Loss{}, err
	}
	return netecho.Stream(ctx, ns.DialContext, address, streamInterval, count)
}

// FrontendFile is the file of the frontend's policy in the repository.
const FrontendFile = "frontend.yaml"

// SharedFrontend is a policy for FrontendFile that shares the frontend's
// requests between the two clusters by weight.
func SharedFrontend(local, managed int) string {
	return fmt.Sprintf(`apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: frontend, namespace: %s}
spec:
  service: {name: frontend, ports: [{port: 80, protocol: tcp}]}
  exports: {from: {clusters: [%[2]s, %[3]s]}}
  rules:
  - backends:
    - {cluster: %[2]s, weight: %[4]d}
    - {cluster: %[3]s, weight: %[5]d}
`, Namespace, Local, Managed, local, managed)
}
