// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
)

// roleVariable makes the test binary be the command.
const roleVariable = "LAB_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		lab.Main(m)
	}
	lab.Boot()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// command prepares the command as if from outside.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleVariable+"=1", "FAIRLEAD_SANDBOX=")
	return cmd
}

// buffer is written to by a process and read by a test.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// started is a running lab command.
type started struct {
	cmd *exec.Cmd
	out *buffer
	pid int
	// mounts is the name of its mount namespace.
	mounts string
}

// startLab starts a lab without waiting for it.
func startLab(t *testing.T, args ...string) *started {
	t.Helper()
	s := &started{cmd: command(args...), out: &buffer{}}
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const bound = 2 * time.Minute // so that a test that waits for its end does end
	limit := time.AfterFunc(bound, func() { _ = s.cmd.Process.Kill() })
	t.Cleanup(func() { limit.Stop(); _ = s.cmd.Process.Kill() })
	return s
}

// ready waits until the lab says so.
func (s *started) ready(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		_, rest, found := strings.Cut(s.out.String(), "\nlab ")
		if _, err := fmt.Sscanf(rest, "%d is ready", &s.pid); !found || err != nil {
			return fmt.Errorf("not ready: %s", s.out)
		}
		return nil
	})
	var err error
	if s.mounts, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", s.pid)); err != nil {
		t.Fatal(err)
	}
}

// eventually polls within a bound far above what is needed.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestTwoLabsAtOnce starts two labs on one machine, uses both from outside,
// kills one as nothing can be caught, and ends the other as Ctrl-C does.
func TestTwoLabsAtOnce(t *testing.T) {
	sandbox.Need(t)
	labs := []*started{startLab(t, "--clusters", "1"), startLab(t, "--clusters", "1", "--nodes", "2", "--overlap")}
	for _, l := range labs {
		l.ready(t)
	}
	checkList(t, labs)
	for i, l := range labs {
		checkAPI(t, l, i+1)
		checkExec(t, l)
	}
	if out, err := command("exec", "cluster1/worker-1", "true").CombinedOutput(); err == nil || !strings.Contains(string(out), "several labs run") {
		t.Errorf("exec without a choice: %v, %s", err, out)
	}
	_ = labs[0].cmd.Process.Kill()
	_ = labs[0].cmd.Wait()
	eventually(t, func() error { return gone(labs[0]) })
	checkAPI(t, labs[1], 2)
	_ = labs[1].cmd.Process.Signal(os.Interrupt)
	if err := labs[1].cmd.Wait(); err != nil || !strings.Contains(labs[1].out.String(), "everything is removed") {
		t.Errorf("interrupted: %v, %s", err, labs[1].out)
	}
	if err := gone(labs[1]); err != nil {
		t.Error(err)
	}
	if out, err := command("exec", "cluster1/worker-1", "true").CombinedOutput(); err == nil || !strings.Contains(string(out), "no lab runs") {
		t.Errorf("exec without a lab: %v, %s", err, out)
	}
}

// checkAPI counts nodes through the kubeconfig, from this namespace.
func checkAPI(t *testing.T, l *started, nodes int) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", root(l.pid, labDir+"/kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil || len(list.Items) != nodes {
		t.Errorf("%d nodes, %v, want %d", len(list.Items), err, nodes)
	}
}

func checkExec(t *testing.T, l *started) {
	t.Helper()
	lab := fmt.Sprint(l.pid)
	out, err := command("exec", "--lab", lab, "cluster1/worker-1", "--", "ip", "-br", "address", "show", "eth0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "192.0.2.11/24") {
		t.Errorf("%v, %s", err, out)
	}
	out, err = command("exec", "--lab", lab, "cluster1/nobody", "--", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "there are: cluster1/worker-1") {
		t.Errorf("unknown node: %v, %s", err, out)
	}
}

func checkList(t *testing.T, labs []*started) {
	t.Helper()
	out, err := command("list").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for _, l := range labs {
		if !strings.Contains(string(out), fmt.Sprintf("lab %d  kubeconfig", l.pid)) {
			t.Errorf("list does not know lab %d: %s", l.pid, out)
		}
	}
}

// gone reports what is left of a lab: processes in its mount namespace, and so
// the namespace itself.
func gone(l *started) error {
	links, err := filepath.Glob("/proc/[0-9]*/ns/mnt")
	if err != nil {
		return err
	}
	for _, link := range links {
		if where, err := os.Readlink(link); err == nil && where == l.mounts {
			return fmt.Errorf("left of lab %d: %s", l.pid, link)
		}
	}
	return nil
}

func TestInterruptedWhileStarting(t *testing.T) {
	sandbox.Need(t)
	l := startLab(t, "--clusters", "1")
	eventually(t, func() error {
		if pids, err := running(); err != nil || len(pids) == 0 {
			return fmt.Errorf("no lab: %v", err)
		}
		return nil
	})
	_ = l.cmd.Process.Signal(syscall.SIGTERM)
	if err := l.cmd.Wait(); err == nil {
		t.Errorf("an interrupted start succeeded: %s", l.out)
	}
	if pids, err := running(); err != nil || len(pids) != 0 {
		t.Errorf("left %v, %v", pids, err)
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{
		{"--clusters", "0"}, {"--nodes", "10"}, {"--clusters", "x"}, {"fly"}, {"exec"}, {"exec", "--lab", "x"}, {"list", "all"},
	} {
		var stderr bytes.Buffer
		cmd := command(args...)
		cmd.Stderr = &stderr
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != codeUsage || stderr.Len() == 0 {
			t.Errorf("%q: %v, said %q", args, err, &stderr)
		}
	}
	if out, err := command("--help").CombinedOutput(); err != nil || !strings.Contains(string(out), "-clusters") {
		t.Errorf("help: %v, %s", err, out)
	}
}
