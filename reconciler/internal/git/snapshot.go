// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// RevisionDirectory is the Revision of files that are not from a commit.
const RevisionDirectory = "directory"

// Timeout bounds one look at a remote, from the connection to the last byte.
const Timeout = 2 * time.Minute

// Source says where the files are. Its zero value is the current directory.
type Source struct {
	// Repo is a directory, a local repository, or the URL of a remote one:
	// https://…, ssh://… or user@host:path. Empty: the current directory.
	Repo string
	// Ref is a branch, a tag or a full commit id; locally anything that names a
	// commit. Empty: the files of the directory as they are, or the remote's
	// HEAD.
	Ref string
	// Path is a directory inside the repository. Empty: the whole of it.
	Path string
	// TokenFile holds a token or password for HTTPS. Empty: none.
	TokenFile string
	// KeyFile holds a private key for SSH. Empty: the SSH agent's.
	KeyFile string
	// KnownHosts lists the SSH host keys that are believed. Empty: the user's
	// and the machine's known_hosts.
	KnownHosts string
}

// Snapshot is the files of one revision. Close it when they are not needed any
// more.
type Snapshot struct {
	// Revision is a full commit id, or RevisionDirectory.
	Revision string
	Files    fs.FS
	release  func()
}

// Close gives back what the snapshot holds on disk.
func (s Snapshot) Close() {
	if s.release != nil {
		s.release()
	}
}

// scpLike matches user@host:path, the short form of an SSH URL.
var scpLike = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:`)

// remote tells whether Repo is the address of a remote repository.
func (s Source) remote() bool {
	return strings.Contains(s.Repo, "://") && !strings.HasPrefix(s.Repo, "file://") || scpLike.MatchString(s.Repo)
}

// Take returns the files that a source names.
func Take(ctx context.Context, s Source) (Snapshot, error) {
	snapshot, err := take(ctx, s)
	if err != nil {
		return Snapshot{}, err
	}
	// A path that is not there would otherwise look like an empty repository.
	if s.Path == "" {
		return snapshot, nil
	}
	within, err := inside(snapshot.Files, s)
	if err != nil {
		snapshot.Close()
		return Snapshot{}, err
	}
	snapshot.Files = within
	return snapshot, nil
}

// inside narrows files to the source's path.
func inside(files fs.FS, s Source) (fs.FS, error) {
	dir := strings.Trim(path.Clean(filepath.ToSlash(s.Path)), "/")
	if !fs.ValidPath(dir) {
		return nil, fmt.Errorf("path %q leads out of the repository", s.Path)
	}
	info, err := fs.Stat(files, dir)
	if err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s has no directory %q", s, dir)
	}
	return fs.Sub(files, dir)
}

func take(ctx context.Context, s Source) (Snapshot, error) {
	if s.remote() {
		return fetch(ctx, s)
	}
	dir := strings.TrimPrefix(s.Repo, "file://")
	if dir == "" {
		dir = "."
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return Snapshot{}, fmt.Errorf("%s is not a directory", dir)
	}
	if s.Ref == "" && !bare(dir) {
		return directory(dir)
	}
	return local(dir, s)
}

// bare tells whether a directory is a repository without a work tree.
func bare(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// directory returns the files of a directory as they are; what its symbolic
// links say cannot lead out of it.
func directory(dir string) (Snapshot, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open directory %s: %w", dir, errors.Unwrap(err))
	}
	return Snapshot{Revision: RevisionDirectory, Files: root.FS(), release: func() { root.Close() }}, nil
}

// local returns a commit of the repository around a directory. The files are
// those below the directory.
func local(dir string, s Source) (Snapshot, error) {
	repo, err := gogit.PlainOpenWithOptions(dir, &gogit.PlainOpenOptions{DetectDotGit: !bare(dir), EnableDotGitCommonDir: true})
	if err != nil {
		return Snapshot{}, fmt.Errorf("%s is not a git repository", dir)
	}
	revision := s.Ref
	if revision == "" {
		revision = "HEAD"
	}
	hash, err := repo.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return Snapshot{}, unknownRef(s, revision)
	}
	snapshot, err := open(repo.Storer, *hash, s)
	if err != nil {
		return Snapshot{}, err
	}
	below, err := belowWorkTree(repo, dir)
	if err != nil || below == "." {
		return snapshot, err
	}
	snapshot.Files, err = inside(snapshot.Files, Source{Repo: s.Repo, Ref: s.Ref, Path: below})
	return snapshot, err
}

// belowWorkTree returns the directory's path in its repository.
func belowWorkTree(repo *gogit.Repository, dir string) (string, error) {
	tree, err := repo.Worktree()
	if errors.Is(err, gogit.ErrIsBareRepository) {
		return ".", nil
	}
	if err != nil {
		return "", fmt.Errorf("open the work tree around %s: %w", dir, err)
	}
	full, err := filepath.EvalSymlinks(dir)
	if err == nil {
		full, err = filepath.Abs(full)
	}
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", dir, err)
	}
	root, err := filepath.EvalSymlinks(tree.Filesystem.Root())
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", tree.Filesystem.Root(), err)
	}
	below, err := filepath.Rel(root, full)
	return filepath.ToSlash(below), err
}

// open returns the files of one commit of a store.
func open(store storer.EncodedObjectStorer, hash plumbing.Hash, s Source) (Snapshot, error) {
	commit, err := peel(store, hash)
	if err != nil {
		return Snapshot{}, fmt.Errorf("%s: %s is not a commit", s, hash)
	}
	tree, err := commit.Tree()
	if err != nil {
		return Snapshot{}, fmt.Errorf("%s: read commit %s: %w", s, hash, err)
	}
	return Snapshot{Revision: commit.Hash.String(), Files: newTreeFS(store, tree)}, nil
}

// peel follows annotated tags to their commit.
func peel(store storer.EncodedObjectStorer, hash plumbing.Hash) (*object.Commit, error) {
	for {
		tag, err := object.GetTag(store, hash)
		if err != nil {
			return object.GetCommit(store, hash)
		}
		hash = tag.Target
	}
}

func unknownRef(s Source, ref string) error {
	return fmt.Errorf("%s has no branch, tag or commit %q", Source{Repo: s.Repo}, ref)
}
