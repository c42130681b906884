// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// TestStartReports what the process said when it could not start.
func TestStartReports(t *testing.T) {
	sandbox.Need(t)
	dir := t.TempDir()
	for want, command := range map[string][]string{
		"no interface today": {"/bin/sh", "-c", "echo no interface today; exit 3"},
		"exit status 3":      {"/bin/sh", "-c", "exit 3"},
		"no such file":       {filepath.Join(dir, "nothing")},
	} {
		err := Processes{Command: command, LogDir: dir}.Start(context.Background(), "fltest0", "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", command, err, want)
		}
	}
	if alive, err := (Processes{}).Alive("fltest0"); alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
	if err := (Processes{}).Gone(context.Background(), "fltest0"); err != nil {
		t.Error(err)
	}
}

// TestGoneWithoutASocket: a process whose control socket was removed still
// counts, and one that hangs is ended; one of another interface is not touched.
func TestGoneWithoutASocket(t *testing.T) {
	sandbox.Need(t)
	begin := func(name string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", "while :; do sleep 1; done", "device", name, "alias")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	hanging, other := begin("fltest1"), begin("fltest2")
	ended := make(chan error, 1)
	go func() { ended <- hanging.Wait() }()
	if err := (Processes{Command: []string{"device"}}).Gone(context.Background(), "fltest1"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the hanging process: %v", err)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the process of another interface: %v", err)
	}
}

// TestLogIsBounded: a long log begins anew, both when the process starts and
// while it runs.
func TestLogIsBounded(t *testing.T) {
	p := Processes{LogDir: t.TempDir()}
	path := filepath.Join(p.LogDir, "fltest0.log")
	if err := os.WriteFile(path, make([]byte, maxLog+1), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := p.openLog("fltest0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := &boundedLog{file: f}
	line := strings.Repeat("x", 1023)
	for range 3 * maxLog / 1024 {
		log.printf("%s", line)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxLog+2048 || info.Size() == 0 {
		t.Errorf("the log has %d bytes, %v", info.Size(), err)
	}
}
