// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tree makes a source tree whose nested modules hold trivial programs that
// print their names, so that they build in a moment and without a network.
func tree(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	t.Setenv(EnvDir, filepath.Join(root, "cache"))
	write(t, root, "go.mod", "module github.com/fairlead/fairlead\n")
	tools := filepath.Join(root, "test", "tools")
	for _, tool := range All() {
		// A package outside its nested module stands for one that it requires.
		module, dir := "example.test/"+tool.Module, tool.Module
		if tool.Package != "." {
			module, dir = path.Dir(path.Dir(tool.Package)), tool.Module+"/"+strings.TrimPrefix(tool.Package, path.Dir(path.Dir(tool.Package))+"/")
		}
		write(t, tools, tool.Module+"/go.mod", "module "+module+"\n\ngo 1.26.0\n")
		write(t, tools, dir+"/main.go", program(tool.Name))
	}
	return root
}

// program is a main that prints its name.
func program(name string) string {
	return "package main\n\nfunc main() { print(\"" + name + "\") }\n"
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// find is Find that must succeed.
func find(t *testing.T, from string) Store {
	t.Helper()
	s, err := Find(from)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMakeBuildsWhatIsMissingOnce(t *testing.T) {
	root := tree(t)
	s := find(t, filepath.Join(root, "test", "tools"))
	err := s.Require()
	if err == nil || !strings.Contains(err.Error(), "etcd, kube-apiserver, kube-controller-manager, kube-proxy") ||
		!strings.Contains(err.Error(), "make tools") {
		t.Errorf("before: %v", err)
	}
	if other := s.Require("envoy-gateway"); other == nil || !strings.Contains(other.Error(), ", envoy-gateway") || strings.Contains(err.Error(), "envoy") {
		t.Errorf("before: %v and %v", err, other)
	}
	var progress bytes.Buffer
	if err := s.Make(context.Background(), &progress); err != nil {
		t.Fatal(err, progress.String())
	}
	if err := s.Require(); err != nil {
		t.Error("after:", err)
	}
	for _, tool := range All() {
		out, err := exec.Command(s.Path(tool.Name)).CombinedOutput()
		if err != nil || string(out) != tool.Name {
			t.Errorf("%s said %q, %v", tool.Name, out, err)
		}
		if !strings.Contains(progress.String(), "built "+tool.Name+" in") {
			t.Errorf("no progress about %s in %q", tool.Name, progress.String())
		}
	}
	progress.Reset()
	if err := s.Make(context.Background(), &progress); err != nil || progress.Len() != 0 {
		t.Errorf("second run: %v, said %q", err, progress.String())
	}
}

// TestMakeTwiceAtOnce runs two builds concurrently: each program is built by
// one of them.
func TestMakeTwiceAtOnce(t *testing.T) {
	s := find(t, tree(t))
	var logs [2]bytes.Buffer
	var wg sync.WaitGroup
	for i := range logs {
		wg.Go(func() {
			if err := s.Make(context.Background(), &logs[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	both := logs[0].String() + logs[1].String()
	for _, tool := range All() {
		if n := strings.Count(both, "built "+tool.Name+" in"); n != 1 {
			t.Errorf("%s was built %d times: %q", tool.Name, n, both)
		}
	}
}

func TestMakeInterrupted(t *testing.T) {
	s := find(t, tree(t))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Make(ctx, &bytes.Buffer{}); err == nil {
		t.Error("an interrupted build gave no error")
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".lock" {
		t.Errorf("left %v, %v, want the lock alone", left, err)
	}
	if err := s.Make(context.Background(), &bytes.Buffer{}); err != nil {
		t.Error("the next run:", err)
	}
}

func TestMakeBroken(t *testing.T) {
	root := tree(t)
	write(t, root, "test/tools/etcd/main.go", "package main\n\nfunc main() { wrong }\n")
	var progress bytes.Buffer
	s := find(t, root)
	if err := s.Make(context.Background(), &progress); err == nil || !strings.Contains(err.Error(), "build etcd") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(progress.String(), "undefined: wrong") {
		t.Errorf("the compiler's words are missing: %q", progress.String())
	}
}

func TestKey(t *testing.T) {
	root := tree(t)
	first := find(t, root)
	if again := find(t, filepath.Join(root, "test", "tools", "kubernetes", "cmd")); again != first {
		t.Errorf("from below: %v, want %v", again, first)
	}
	for _, name := range []string{"etcd/go.mod", "etcd/main.go", "kubernetes/go.sum"} {
		before := find(t, root)
		write(t, root, "test/tools/"+name, "module x // changed\n")
		if after := find(t, root); after.Dir == before.Dir {
			t.Errorf("a change of %s did not change the key", name)
		}
	}
}

// TestOtherSourcesReuse: a change of one nested module builds its programs anew
// and no others.
func TestOtherSourcesReuse(t *testing.T) {
	root := tree(t)
	if err := find(t, root).Make(context.Background(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	write(t, root, "test/tools/etcd/main.go", program("other"))
	var progress bytes.Buffer
	after := find(t, root)
	if err := after.Make(context.Background(), &progress); err != nil {
		t.Fatal(err, progress.String())
	}
	if out, err := exec.Command(after.Path("etcd")).CombinedOutput(); err != nil || string(out) != "other" {
		t.Errorf("etcd said %q, %v", out, err)
	}
	if n := strings.Count(progress.String(), "tools: built "); n != 1 {
		t.Errorf("%d programs were built: %q", n, progress.String())
	}
}

func TestFindRefuses(t *testing.T) {
	if _, err := Find(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not inside a clone") {
		t.Errorf("outside a clone: %v", err)
	}
	root := t.TempDir()
	write(t, root, "go.mod", "module github.com/fairlead/fairlead\n")
	if _, err := Find(root); err == nil || !strings.Contains(err.Error(), "digest the module of etcd") {
		t.Errorf("without nested modules: %v", err)
	}
}

func TestDefaultPlaceIsShared(t *testing.T) {
	root := tree(t)
	t.Setenv(EnvDir, "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if got := find(t, root).Dir; !strings.HasPrefix(got, "/cache/fairlead/tools/") {
		t.Errorf("got %s", got)
	}
}
