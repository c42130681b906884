// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Every direct dependency is a decision; CONTRIBUTING says why it was made.
func TestEveryDirectDependencyIsExplained(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	edit := exec.Command("go", "mod", "edit", "-json")
	edit.Dir = "../.."
	out, err := edit.Output()
	if err != nil {
		t.Fatalf("read go.mod: %v", err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatalf("read go.mod: %v", err)
	}
	direct := 0
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct++
		if !strings.Contains(string(text), "| "+r.Path+" |") {
			t.Errorf("CONTRIBUTING does not say why %s is there", r.Path)
		}
	}
	if direct == 0 {
		t.Error("go.mod has no direct dependency: this test reads the wrong file")
	}
}
