// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tempDir is the TMPDIR of everything inside: on the private tmpfs, so that a
// kill leaves no temporary files on the machine.
const tempDir = "/run/tmp"

// Boot turns this process into the init when it was started as one, and then
// does not return. Otherwise it does nothing.
func Boot() {
	if os.Getenv(modeVariable) != modeInit {
		return
	}
	code, err := runInit()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
	}
	os.Exit(code)
}

// runInit sets the namespaces up and looks after the program until it ends. Its
// return ends process 1, at which the kernel kills all that is left.
func runInit() (int, error) {
	count, err := strconv.Atoi(os.Getenv(filesVar))
	if err != nil {
		return codeTrouble, fmt.Errorf("read %s: %w", filesVar, err)
	}
	control := firstExtraFile + count
	syscall.CloseOnExec(control)
	if err := setUp(); err != nil {
		return codeTrouble, err
	}
	pid, err := startProgram(count)
	if err != nil {
		return codeTrouble, fmt.Errorf("start the program: %w", err)
	}
	go obey(os.NewFile(uintptr(control), "signals"), pid)
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return codeTrouble, fmt.Errorf("wait for the program: %w", err)
		}
		if got == pid {
			return exitCode(ws), nil
		}
	}
}

// obey passes signals on to the program. When there will be no more, whoever
// asked for the sandbox has ended, and so does the sandbox; the kernel's death
// signal usually comes first.
func obey(signals *os.File, pid int) {
	for b := make([]byte, 1); ; {
		if _, err := signals.Read(b); err != nil {
			os.Exit(codeTrouble)
		}
		_ = syscall.Kill(pid, syscall.Signal(b[0]))
	}
}

// setUp makes the private mounts and brings the loopback interface up.
func setUp() error {
	if os.Getpid() != 1 {
		return fmt.Errorf("%s=%s is set by hand; unset it", modeVariable, modeInit)
	}
	mounts := []struct {
		source, target, fs string
		flags              uintptr
		data               string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.fs, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	for _, dir := range []string{"/run/netns", "/run/wireguard", "/run/lock", tempDir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(tempDir, 0o777|os.ModeSticky); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	return nil
}

// startProgram starts this executable again, now inside. It bypasses os/exec,
// which wants to wait for its children itself.
func startProgram(count int) (pid int, err error) {
	where, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return 0, err
	}
	files := make([]uintptr, firstExtraFile+count)
	for i := range files {
		files[i] = uintptr(i)
	}
	return syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env:   append(cleanEnv(), modeVariable+"="+where, "TMPDIR="+tempDir),
		Files: files,
	})
}
