// SPDX-License-Identifier: Apache-2.0

package git

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNames: a repository with policies in a directory, a bare one, a plain
// directory, and a remote one.
func TestNames(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"repo/.git", "repo/policies/eu", "bare/objects", "bare/refs", "bare/HEAD", "plain/eu"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "repo"))
	for _, test := range []struct {
		name              string
		source            Source
		shown, repository string
	}{
		{"the current directory", Source{}, "a.yaml", "a.yaml"},
		{"a dot", Source{Repo: "."}, "a.yaml", "a.yaml"},
		{"a directory", Source{Repo: "policies"}, "policies/a.yaml", "policies/a.yaml"},
		{"a path in it", Source{Repo: "policies", Path: "eu"}, "policies/eu/a.yaml", "policies/eu/a.yaml"},
		{"a path that is not clean", Source{Repo: "./policies/", Path: "/eu/"}, "policies/eu/a.yaml", "policies/eu/a.yaml"},
		{"an absolute one here", Source{Repo: filepath.Join(root, "repo", "policies")}, "policies/a.yaml", "policies/a.yaml"},
		{"an absolute one as URL", Source{Repo: "file://" + filepath.Join(root, "repo")}, "a.yaml", "a.yaml"},
		{"an absolute one elsewhere", Source{Repo: filepath.Join(root, "plain")}, filepath.Join(root, "plain", "a.yaml"), "a.yaml"},
		{"elsewhere", Source{Repo: "../plain", Path: "eu"}, "../plain/eu/a.yaml", "eu/a.yaml"},
		{"without work tree", Source{Repo: "../bare", Path: "eu"}, "eu/a.yaml", "eu/a.yaml"},
		{"remote", Source{Repo: "git@example.com:policies.git", Path: "eu"}, "eu/a.yaml", "eu/a.yaml"},
		{"a branch", Source{Repo: "policies", Ref: "main"}, "policies/a.yaml", "policies/a.yaml"},
	} {
		if got := test.source.Shown("a.yaml"); got != test.shown {
			t.Errorf("%s is shown as %s, want %s", test.name, got, test.shown)
		}
		if got := test.source.InRepository("a.yaml"); got != test.repository {
			t.Errorf("%s is %s in its repository, want %s", test.name, got, test.repository)
		}
	}
	if got := (Source{Repo: "policies"}).Shown("."); got != "policies" {
		t.Errorf("the directory itself is shown as %s", got)
	}
}
