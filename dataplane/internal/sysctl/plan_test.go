// SPDX-License-Identifier: Apache-2.0

package sysctl

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

func TestWant(t *testing.T) {
	if got := Want(desired.State{}); len(got) != 0 {
		t.Errorf("a node that is no gateway wants %v", got)
	}
	got := Want(desired.State{Tunnel: &desired.Tunnel{Name: "fl1"}})
	if len(got) != 2 || !got[0].Recorded || got[1].Name != "net/ipv4/conf/fl1/rp_filter" || got[1].Recorded {
		t.Errorf("got %+v", got)
	}
}

func TestToRestore(t *testing.T) {
	record := map[string]entry{
		"b/ours": {Found: "0", Set: "1"}, "a/ours": {Found: "0", Set: "1"},
		"theirs": {Found: "0", Set: "1"}, "gone": {Found: "0", Set: "1"}, "same": {Found: "1", Set: "1"},
	}
	values := map[string]string{"a/ours": "1", "b/ours": "1", "theirs": "2", "same": "1"}
	got := toRestore(record, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if len(got) != 2 || got[0] != (Setting{Name: "a/ours", Value: "0"}) || got[1].Name != "b/ours" {
		t.Errorf("got %+v", got)
	}
}

// TestBrokenRecord is an error, and nothing is set over it.
func TestBrokenRecord(t *testing.T) {
	k := Kernel{StateDir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(k.StateDir, recordName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.CleanUp(context.Background()); err == nil || !strings.Contains(err.Error(), "recorded values") {
		t.Error(err)
	}
	if err := k.set(Setting{Name: "net/ipv4/ip_forward", Value: "1", Recorded: true}, "0"); err == nil {
		t.Error("set without a record")
	}
}
