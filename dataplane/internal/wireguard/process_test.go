// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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
