// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// roleVariable makes the test binary play a program that uses the package.
const roleVariable = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		Enter()
		os.Exit(play(role))
	}
	Main(m)
}

// play is the program proper, inside its own sandbox.
func play(role string) int {
	switch role {
	case "code":
		return 7
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	case "say":
		dir, _ := os.Getwd()
		fmt.Println(dir, strings.Join(os.Args[1:], " "))
		fmt.Fprintln(os.Stderr, "aside")
	case "orphan":
		return playOrphan()
	case "linger":
		return playLinger()
	}
	return 0
}

// playOrphan leaves a grandchild that dies after its parent, and waits until
// nothing but the init and itself is left. Unreaped, it would stay a zombie.
func playOrphan() int {
	if err := exec.Command("sh", "-c", "sleep 0.2 & exit 0").Run(); err != nil {
		return 2
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		procs, _ := filepath.Glob("/proc/[0-9]*")
		if len(procs) == 2 {
			return 0
		}
	}
	return 3
}

// playLinger starts a process that has left its session and reports the mount
// namespace; it ends only when killed.
func playLinger() int {
	cmd := exec.Command("setsid", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		return 2
	}
	where, _ := os.Readlink("/proc/self/ns/mnt")
	fmt.Println(where)
	return exitCode(func() syscall.WaitStatus {
		_ = cmd.Wait()
		return cmd.ProcessState.Sys().(syscall.WaitStatus)
	}())
}

// program starts the test binary in a role, as if from outside.
func program(role string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(cleanEnv(), roleVariable+"="+role)
	return cmd
}

func TestExitCode(t *testing.T) {
	Need(t)
	for role, want := range map[string]int{"code": 7, "die": 128 + int(syscall.SIGTERM), "say": 0, "orphan": 0} {
		t.Run(role, func(t *testing.T) {
			cmd := program(role)
			err := cmd.Run()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != want {
				t.Errorf("exit code %d, want %d", got, want)
			}
		})
	}
}

func TestStreamsArgumentsAndDirectory(t *testing.T) {
	Need(t)
	var stdout, stderr bytes.Buffer
	cmd := program("say", "-test.v", "x y")
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err, stderr.String())
	}
	if got, want := stdout.String(), cmd.Dir+" -test.v x y\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := stderr.String(); got != "aside\n" {
		t.Errorf("stderr %q", got)
	}
}

func TestPrivate(t *testing.T) {
	Need(t)
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(links) != 1 || links[0].Name != "lo" || links[0].Flags&net.FlagUp == 0 {
		t.Errorf("interfaces %+v, want lo alone and up", links)
	}
	if !strings.HasPrefix(os.TempDir(), "/run/") {
		t.Errorf("temporary files go to %s, want the private /run", os.TempDir())
	}
}

func TestSignalIsForwarded(t *testing.T) {
	Need(t)
	cmd, _, _ := linger(t)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), 128+int(syscall.SIGTERM); got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

// TestEarlySignal asks the outer process to end while the sandbox is being set
// up, at whatever point that is: the signal must not be lost.
func TestEarlySignal(t *testing.T) {
	Need(t)
	for i := range 20 {
		cmd := program("linger")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children := fmt.Sprintf("/proc/%d/task/*/children", cmd.Process.Pid)
		eventually(t, "no init was started", func() bool {
			files, _ := filepath.Glob(children)
			return slices.ContainsFunc(files, func(f string) bool {
				text, _ := os.ReadFile(f)
				return len(text) > 0
			})
		})
		_ = cmd.Process.Signal(syscall.SIGTERM)
		ended := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		if !ended.Stop() {
			t.Fatalf("the signal was lost at attempt %d", i+1)
		}
	}
}

// TestKillLeavesNothing kills the outer process as nothing can be caught, and
// looks for processes of the sandbox and for its network namespace. The other
// end of a veth disappears exactly when the namespace does.
func TestKillLeavesNothing(t *testing.T) {
	Need(t)
	cmd, where, initPid := linger(t)
	err := netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "outside0"}, PeerName: "inside0", PeerNamespace: netlink.NsPid(initPid),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := processesIn(where); len(got) < 3 {
		t.Fatalf("processes %v, want at least the init, the program and its child", got)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "processes stayed", func() bool { return len(processesIn(where)) == 0 })
	eventually(t, "the network namespace stayed", func() bool {
		_, err := netlink.LinkByName("outside0")
		return errors.As(err, &netlink.LinkNotFoundError{})
	})
}

// linger starts a program that does not end, and returns it with the name of
// its mount namespace and its init's process id.
func linger(t *testing.T) (cmd *exec.Cmd, where string, initPid int) {
	t.Helper()
	cmd = program("linger")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	where, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the program said nothing:", err)
	}
	where = strings.TrimSpace(where)
	for _, pid := range processesIn(where) {
		if initPid == 0 || pid < initPid {
			initPid = pid
		}
	}
	return cmd, where, initPid
}

// processesIn lists the processes in a mount namespace.
func processesIn(where string) []int {
	var pids []int
	links, _ := filepath.Glob("/proc/[0-9]*/ns/mnt")
	for _, link := range links {
		if got, err := os.Readlink(link); err == nil && got == where {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually polls with a bound far above what the kernel needs.
func eventually(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(complaint)
		}
	}
}

func TestWithoutRootTestsAreSkippedAloud(t *testing.T) {
	Need(t)
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run=^TestPrivate$")
	cmd.Env = cleanEnv()
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("SKIP: TestPrivate")) || !bytes.Contains(out, []byte("needs root:")) {
		t.Errorf("err %v, output %q, want a skip that says why", err, out)
	}
}
