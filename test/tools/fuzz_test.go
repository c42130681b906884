// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// target is a fuzz target with some seeds, each of which takes a while. Its name
// stands elsewhere, or it would be one of ours.
const target = `package a

import (
	"testing"
	"time"
)

func TARGET(f *testing.F) {
	for i := range 40 {
		f.Add(i)
	}
	f.Fuzz(func(t *testing.T, i int) {
		time.Sleep(TAKES)
		if i == WRONG {
			t.Error("found")
		}
	})
}
`

// TestFuzzSaysWhatItDid runs the program in a repository of its own.
func TestFuzzSaysWhatItDid(t *testing.T) {
	script, err := os.ReadFile("fuzz")
	if err != nil {
		t.Fatal(err)
	}
	// What Go finds interesting in a time is kept beside what it built.
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "fuzzed.example.test"
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(strings.TrimSpace(string(cache)), "fuzz", module)) })
	for _, test := range []struct {
		name, budget, takes, wrong, want string
		fails                            bool
	}{
		{"a number of inputs", "30x", "time.Microsecond", "-1 << 62", "fuzz: FuzzA in ./a: 40 seeds and 3", false},
		{"a time", "3s", "time.Microsecond", "-1 << 62", "fuzz: FuzzA in ./a: 40 seeds and ", false},
		{"too short a time", "1s", "time.Second", "-1 << 62", "fuzz: FuzzA got no further than its seeds: give it more than 1s", true},
		{"a mistake", "30x", "time.Microsecond", "7", "found", true},
		{"a target that is not built", "30x", "time.Microsecond", "-1 << 62", "fuzz: FuzzB got no further than its seeds", true},
		{"no budget", "5", "0", "7", "not 5", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "go.mod", "module "+module+"\n\ngo 1.26.0\n")
			write(t, root, "a/a_test.go", strings.NewReplacer("TARGET", "FuzzA", "TAKES", test.takes, "WRONG", test.wrong).Replace(target))
			write(t, root, "test/tools/fuzz", string(script))
			if strings.Contains(test.want, "FuzzB") {
				write(t, root, "a/b_test.go", "//go:build never\n\npackage a\n\nfunc FuzzB(f *testing.F) {}\n")
			}
			for _, args := range [][]string{{"init", "-q"}, {"add", "."}} {
				if out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
					t.Fatalf("git %v: %v\n%s", args, err, out)
				}
			}
			out, err := exec.Command("bash", filepath.Join(root, "test", "tools", "fuzz"), test.budget).CombinedOutput()
			if failed := err != nil; failed != test.fails || !strings.Contains(string(out), test.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
