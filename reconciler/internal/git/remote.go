// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/go-git/go-billy/v5/osfs"
	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// fetched is the name of the only reference in a store of ours.
const fetched = plumbing.ReferenceName("refs/fairlead/fetched")

// largeObject is the size in bytes from which go-git streams a blob from disk
// instead of holding it in its cache.
const largeObject = 1 << 20

// fetch takes a snapshot of a remote repository: one commit, in a store that
// lives until the snapshot is closed.
func fetch(ctx context.Context, s Source) (Snapshot, error) {
	auth, err := s.auth()
	if err != nil {
		return Snapshot{}, err
	}
	dir, err := os.MkdirTemp("", "fairlead-git-")
	if err != nil {
		return Snapshot{}, fmt.Errorf("make a directory for the clone: %w", err)
	}
	release := func() { os.RemoveAll(dir) }
	store := filesystem.NewStorageWithOptions(osfs.New(dir), cache.NewObjectLRUDefault(),
		filesystem.Options{LargeObjectThreshold: largeObject})
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var hash plumbing.Hash
	err = abandon(ctx, func() error {
		remote := gogit.NewRemote(store, &config.RemoteConfig{Name: "origin", URLs: []string{s.Repo}})
		var err error
		hash, err = fetchOne(ctx, remote, store, request{s, auth})
		return err
	})
	if err != nil {
		release()
		return Snapshot{}, explain(s, err)
	}
	snapshot, err := open(store, hash, s)
	if err != nil {
		release()
		return Snapshot{}, err
	}
	snapshot.release = release
	return snapshot, nil
}

// abandon runs a function until it ends or ctx does: go-git's SSH transport
// does not look at contexts while it connects.
func abandon(ctx context.Context, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request is what is asked of a remote.
type request struct {
	Source
	auth transport.AuthMethod
}

// fetchOne lists the remote's references, chooses one, and fetches its commit.
func fetchOne(ctx context.Context, remote *gogit.Remote, store *filesystem.Storage, r request) (plumbing.Hash, error) {
	refs, err := remote.ListContext(ctx, &gogit.ListOptions{Auth: r.auth})
	if err != nil {
		return plumbing.ZeroHash, err
	}
	want, err := choose(refs, r.Source)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	err = remote.FetchContext(ctx, &gogit.FetchOptions{
		RefSpecs: []config.RefSpec{config.RefSpec("+" + want + ":" + fetched.String())},
		Depth:    1, Tags: gogit.NoTags, Auth: r.auth, Force: true,
	})
	if err != nil && plumbing.IsHash(want) && !errors.Is(err, context.DeadlineExceeded) {
		return plumbing.ZeroHash, unknownRef(r.Source, want)
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	// The branch may have moved since it was listed: what was fetched counts.
	ref, err := store.Reference(fetched)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return ref.Hash(), nil
}

// choose returns the name of the reference that a source means, or a commit id.
func choose(refs []*plumbing.Reference, s Source) (string, error) {
	has := func(name string) bool {
		return slices.ContainsFunc(refs, func(r *plumbing.Reference) bool { return r.Name().String() == name })
	}
	if s.Ref == "" {
		for _, r := range refs {
			if r.Name() == plumbing.HEAD && r.Type() == plumbing.SymbolicReference && has(r.Target().String()) {
				return r.Target().String(), nil
			}
			if r.Name() == plumbing.HEAD && r.Type() == plumbing.HashReference {
				return plumbing.HEAD.String(), nil
			}
		}
		return "", fmt.Errorf("%s has no default branch: give --ref", s)
	}
	// git's own order: a full name, a tag, a branch.
	for _, name := range []string{s.Ref, "refs/" + s.Ref, "refs/tags/" + s.Ref, "refs/heads/" + s.Ref} {
		if has(name) {
			return name, nil
		}
	}
	if plumbing.IsHash(s.Ref) {
		return s.Ref, nil
	}
	return "", unknownRef(s, s.Ref)
}
