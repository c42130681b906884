// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/reconciler/internal/git"
	"github.com/fairlead/fairlead/test/gitserver"
)

// origin is a repository with some history, served over HTTP.
type origin struct {
	server *gitserver.Server
	root   string
	clone  *gitserver.Clone
	// first and second commits of main.
	first, second string
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newOrigin(t *testing.T, options gitserver.Options) *origin {
	t.Helper()
	o := &origin{root: t.TempDir()}
	o.server = must(gitserver.Start(o.root, options))(t)
	t.Cleanup(func() { o.server.Close() })
	check(t, o.server.Create("policies.git"))
	// Pushing goes past the server, so that its password is not needed here.
	o.clone = must(gitserver.NewClone(filepath.Join(t.TempDir(), "work"), filepath.Join(o.root, "policies.git")))(t)
	check(t, o.clone.Write("set.yaml", "first\n"))
	check(t, o.clone.Write("teams/shop/reviews.yaml", "reviews\n"))
	o.first = must(o.clone.Commit("first"))(t)
	check(t, o.clone.Write("set.yaml", "second\n"))
	check(t, os.Symlink("/etc/passwd", filepath.Join(o.clone.Dir, "link.yaml")))
	o.second = must(o.clone.Commit("second"))(t)
	check(t, o.clone.Push(false))
	return o
}

// git runs git in the work tree.
func (o *origin) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", o.clone.Dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func take(t *testing.T, s git.Source) git.Snapshot {
	t.Helper()
	snapshot := must(git.Take(context.Background(), s))(t)
	t.Cleanup(snapshot.Close)
	return snapshot
}

func text(t *testing.T, files fs.FS, name string) string {
	t.Helper()
	return string(must(fs.ReadFile(files, name))(t))
}

func TestRemoteRefs(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	o.git(t, "tag", "--annotate", "-m", "release", "v1", o.first)
	o.git(t, "branch", "feature/x", o.first)
	o.git(t, "push", "--quiet", "origin", "v1", "feature/x")
	for ref, want := range map[string]struct{ revision, set string }{
		"":                {o.second, "second\n"},
		"main":            {o.second, "second\n"},
		"refs/heads/main": {o.second, "second\n"},
		"v1":              {o.first, "first\n"},
		"feature/x":       {o.first, "first\n"},
		o.first:           {o.first, "first\n"},
	} {
		snapshot := take(t, git.Source{Repo: o.server.URL("policies.git"), Ref: ref})
		if got := text(t, snapshot.Files, "set.yaml"); got != want.set || snapshot.Revision != want.revision {
			t.Errorf("ref %q: revision %s with %q, want %s with %q", ref, snapshot.Revision, got, want.revision, want.set)
		}
	}
}

func TestForcePush(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	source := git.Source{Repo: o.server.URL("policies.git"), Ref: "main"}
	take(t, source)
	check(t, o.clone.Reset(o.first))
	check(t, o.clone.Write("set.yaml", "another\n"))
	want := must(o.clone.Commit("another"))(t)
	check(t, o.clone.Push(true))
	snapshot := take(t, source)
	if got := text(t, snapshot.Files, "set.yaml"); got != "another\n" || snapshot.Revision != want {
		t.Errorf("after a forced push: revision %s with %q, want %s", snapshot.Revision, got, want)
	}
}

func TestPathAndFileSystem(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	repo := o.server.URL("policies.git")
	whole := take(t, git.Source{Repo: repo}).Files
	entries := must(fs.ReadDir(whole, "."))(t)
	if len(entries) != 3 || entries[0].Type() != fs.ModeSymlink {
		t.Errorf("the symbolic link is not shown as one: %v", entries)
	}
	if _, err := whole.Open("link.yaml"); err == nil {
		t.Error("a symbolic link could be opened")
	}
	shop := take(t, git.Source{Repo: repo, Path: "teams/shop/"}).Files
	check(t, fstest.TestFS(shop, "reviews.yaml"))
}

func TestLargeBlobIsNotLoadedToSeeItsSize(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	const size = 50 << 20
	check(t, o.clone.Write("big.yaml", strings.Repeat("a", size)))
	must(o.clone.Commit("big"))(t)
	check(t, o.clone.Push(false))
	files := take(t, git.Source{Repo: o.server.URL("policies.git")}).Files
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if info := must(fs.Stat(files, "big.yaml"))(b); info.Size() != size {
				b.Fatalf("size %d", info.Size())
			}
		}
	}).AllocedBytesPerOp()
	if allocated > size/10 {
		t.Errorf("looking at the size of a blob of %d bytes allocated %d", size, allocated)
	}
}

func TestToken(t *testing.T) {
	o := newOrigin(t, gitserver.Options{Password: "secret"})
	token := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(token, []byte("secret\n"), 0o600))
	take(t, git.Source{Repo: o.server.URL("policies.git"), TokenFile: token})
	check(t, os.WriteFile(token, []byte("wrong\n"), 0o600))
	for _, s := range []git.Source{{Repo: o.server.URL("policies.git")}, {Repo: o.server.URL("policies.git"), TokenFile: token}} {
		_, err := git.Take(context.Background(), s)
		if err == nil || !strings.HasSuffix(err.Error(), "the server refuses our credentials") {
			t.Errorf("token file %q: error %v", s.TokenFile, err)
		}
	}
}

func TestSSH(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	server := must(gitserver.StartSSH(o.root))(t)
	t.Cleanup(func() { server.Close() })
	other := must(gitserver.StartSSH(o.root))(t)
	t.Cleanup(func() { other.Close() })
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	key, hosts := write("key", string(server.UserKey)), write("hosts", server.KnownHosts+"\n")
	source := git.Source{Repo: server.URL("policies.git"), Ref: "main", KeyFile: key, KnownHosts: hosts}
	if got := take(t, source); got.Revision != o.second {
		t.Errorf("revision %s, want %s", got.Revision, o.second)
	}
	address, _, _ := strings.Cut(server.KnownHosts, " ")
	_, otherKey, _ := strings.Cut(other.KnownHosts, " ")
	for want, change := range map[string]func(*git.Source){
		"is not known":                       func(s *git.Source) { s.KnownHosts = write("none", "") },
		"is not the one that is known":       func(s *git.Source) { s.KnownHosts = write("other", address+" "+otherKey+"\n") },
		"the server refuses our credentials": func(s *git.Source) { s.KeyFile = write("wrong", string(other.UserKey)) },
	} {
		s := source
		change(&s)
		if _, err := git.Take(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestLocal(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	check(t, o.clone.Write("set.yaml", "not committed\n"))
	shop := filepath.Join(o.clone.Dir, "teams", "shop")
	for name, c := range map[string]struct {
		source   git.Source
		revision string
		file     string
		want     string
	}{
		"work tree":         {git.Source{Repo: o.clone.Dir}, git.RevisionDirectory, "set.yaml", "not committed\n"},
		"commit":            {git.Source{Repo: o.clone.Dir, Ref: "HEAD~1"}, o.first, "set.yaml", "first\n"},
		"below a work tree": {git.Source{Repo: shop, Ref: "main"}, o.second, "reviews.yaml", "reviews\n"},
		"with a path":       {git.Source{Repo: o.clone.Dir, Ref: o.second[:10], Path: "teams"}, o.second, "shop/reviews.yaml", "reviews\n"},
		"bare":              {git.Source{Repo: filepath.Join(o.root, "policies.git")}, o.second, "set.yaml", "second\n"},
		"file URL":          {git.Source{Repo: "file://" + o.clone.Dir, Ref: "main"}, o.second, "set.yaml", "second\n"},
	} {
		snapshot := take(t, c.source)
		if got := text(t, snapshot.Files, c.file); got != c.want || snapshot.Revision != c.revision {
			t.Errorf("%s: revision %s with %q, want %s with %q", name, snapshot.Revision, got, c.revision, c.want)
		}
	}
}

func TestOneClearLine(t *testing.T) {
	o := newOrigin(t, gitserver.Options{})
	repo := o.server.URL("policies.git")
	check(t, o.server.Create("empty.git"))
	closed := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	closed.Close()
	dir := t.TempDir()
	for want, s := range map[string]git.Source{
		repo + ` has no branch, tag or commit "nothing"`:                                    {Repo: repo, Ref: "nothing"},
		repo + ` has no branch, tag or commit "` + strings.Repeat("1", 40) + `"`:            {Repo: repo, Ref: strings.Repeat("1", 40)},
		repo + ` at main has no directory "no/such"`:                                        {Repo: repo, Ref: "main", Path: "no/such"},
		repo + ` has no directory "set.yaml"`:                                               {Repo: repo, Path: "set.yaml"},
		`path "../x" leads out of the repository`:                                           {Repo: repo, Path: "../x"},
		o.server.URL("empty.git") + ": the repository is empty":                             {Repo: o.server.URL("empty.git")},
		o.server.URL("none.git") + ": there is no such repository":                          {Repo: o.server.URL("none.git")},
		"http://" + closed.Addr().String() + "/x: connection refused":                       {Repo: "http://" + closed.Addr().String() + "/x"},
		"ssh://" + closed.Addr().String() + "/x: no SSH agent answers; give --git-key-file": {Repo: "ssh://" + closed.Addr().String() + "/x", KnownHosts: os.DevNull},
		dir + " is not a git repository":                                                    {Repo: dir, Ref: "main"},
		dir + "/no is not a directory":                                                      {Repo: dir + "/no"},
		o.clone.Dir + ` has no branch, tag or commit "no"`:                                  {Repo: o.clone.Dir, Ref: "no"},
		"https://u:xxxxx@example.com/x: the address holds a password, which ends up in logs and process lists; use --git-token-file": {Repo: "https://u:p@example.com/x"},
		"http://192.0.2.1/x: a token is not sent without TLS; use https":                                                             {Repo: "http://192.0.2.1/x", TokenFile: "token"},
	} {
		t.Setenv("SSH_AUTH_SOCK", "")
		_, err := git.Take(context.Background(), s)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	left := must(filepath.Glob(filepath.Join(os.TempDir(), "fairlead-git-*")))(t)
	for _, path := range left {
		t.Errorf("left behind: %s", path)
	}
}

func TestInterrupted(t *testing.T) {
	silent := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { silent.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		conn, err := silent.Accept()
		if err == nil {
			t.Cleanup(func() { conn.Close() })
		}
		cancel()
	}()
	_, err := git.Take(ctx, git.Source{Repo: "http://" + silent.Addr().String() + "/x"})
	if err == nil || !strings.HasSuffix(err.Error(), ": interrupted") {
		t.Errorf("error %v", err)
	}
}
