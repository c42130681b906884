// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// modeVariable tells a process which of the three roles it has. Unset is
// outside; "init" is process 1; otherwise it holds the name of the mount
// namespace that the init made, so that a value which leaked elsewhere is not
// mistaken for being inside.
const (
	modeVariable = "FAIRLEAD_SANDBOX"
	modeInit     = "init"
	filesVar     = "FAIRLEAD_SANDBOX_FILES"
)

// firstExtraFile is the descriptor at which inherited files begin, after the
// three standard streams.
const firstExtraFile = 3

// codeTrouble is the exit code when the sandbox itself could not be set up.
const codeTrouble = 125

// Options say what runs in a sandbox and what it inherits. The zero value runs
// this program again with its own arguments.
type Options struct {
	// Args are the arguments after the program's name. nil: those of this
	// process.
	Args []string
	// Env is added to this process's environment.
	Env []string
	// Files are inherited as descriptors 3, 4 and so on. A socket among them
	// stays in the network namespace it was made in, which is how something
	// inside can be reached from outside.
	Files []*os.File
	// Started, where set, is called once with the init's process id as seen
	// from outside.
	Started func(pid int)
}

// Inside reports whether this process runs in a sandbox.
func Inside() bool {
	mode := os.Getenv(modeVariable)
	if mode == "" || mode == modeInit {
		return false
	}
	here, err := os.Readlink("/proc/self/ns/mnt")
	return err == nil && here == mode
}

// Main is the body of TestMain. As root it runs the tests inside a sandbox,
// otherwise outside, where Need skips. It does not return.
func Main(m *testing.M) {
	Boot()
	if Inside() || os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	os.Exit(Run(Options{}))
}

// Need skips the test, saying why, when it does not run inside a sandbox for
// lack of root. As root it is an error not to be inside.
func Need(t testing.TB) {
	t.Helper()
	if Inside() {
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces and mounts in a private sandbox")
	}
	t.Fatal("not in a sandbox: the package's TestMain must call sandbox.Main")
}

// Enter returns only inside a sandbox. Outside it runs this program again
// inside one and exits with its code. Without root it explains and exits.
func Enter() {
	Boot()
	if Inside() {
		return
	}
	os.Exit(Run(Options{}))
}

// Run runs this program in a new sandbox and returns its exit code (128 plus
// the signal's number when a signal ended it). Standard streams and the working
// directory are this process's; signals to this process are forwarded. The
// program must call Boot, Enter or Main before anything else. The current
// goroutine keeps its thread until Run returns: the kernel kills the sandbox
// when the thread that made it ends.
func Run(o Options) int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "sandbox: needs root: run it with sudo, or in a container that may make namespaces")
		return codeTrouble
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)
	// Signals go through a pipe: one that is sent to process 1 of a namespace
	// before it has a handler is lost. Its end also tells the init that this
	// process is no more.
	heard, said, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox: make a pipe:", err)
		return codeTrouble
	}
	defer said.Close()
	cmd := command(o, heard)
	err = cmd.Start()
	heard.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox: start:", err)
		return codeTrouble
	}
	if o.Started != nil {
		o.Started(cmd.Process.Pid)
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				_, _ = said.Write([]byte{byte(s.(syscall.Signal))})
			case <-done:
				return
			}
		}
	}()
	_ = cmd.Wait() // the state below says how it ended
	return exitCode(cmd.ProcessState.Sys().(syscall.WaitStatus))
}

// command makes the init: this executable, in new namespaces. It reads signals
// from the file after the inherited ones.
func command(o Options, signals *os.File) *exec.Cmd {
	args := o.Args
	if args == nil {
		args = os.Args[1:]
	}
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = append(slices.Clone(o.Files), signals)
	cmd.Env = append(cleanEnv(), o.Env...)
	cmd.Env = append(cmd.Env, modeVariable+"="+modeInit, fmt.Sprintf("%s=%d", filesVar, len(o.Files)))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		// A signal from the dying parent's namespace kills even process 1.
		Pdeathsig: syscall.SIGKILL,
		// A process group of its own: a terminal's Ctrl-C reaches the program
		// once, forwarded, and not a second time directly.
		Setpgid: true,
	}
	return cmd
}

// cleanEnv is the environment without this package's own variables.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, modeVariable) {
			env = append(env, kv)
		}
	}
	return env
}

// forwarded are the signals by which people and programs ask a process to do
// something.
var forwarded = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
}

// exitCode is a shell's view of how a process ended.
func exitCode(ws syscall.WaitStatus) int {
	const signalBase = 128
	if ws.Signaled() {
		return signalBase + int(ws.Signal())
	}
	return ws.ExitStatus()
}
