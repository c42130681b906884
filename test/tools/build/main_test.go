// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/test/tools"
)

func TestOutsideACloneIsAnError(t *testing.T) {
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	if code := run(&stdout, &stderr); code != 2 || stdout.Len() != 0 || !strings.HasPrefix(stderr.String(), "tools: ") {
		t.Errorf("code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}

func TestNothingMissingPrintsTheDirectoryAlone(t *testing.T) {
	t.Setenv(tools.EnvDir, t.TempDir())
	store, err := tools.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(store.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools.All() {
		if err := os.WriteFile(filepath.Join(store.Dir, tool.Name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(&stdout, &stderr); code != 0 || stdout.String() != store.Dir+"\n" || stderr.Len() != 0 {
		t.Errorf("code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}
