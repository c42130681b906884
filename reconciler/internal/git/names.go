// SPDX-License-Identifier: Apache-2.0

package git

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Shown returns what people call a file of the snapshot: where they would open
// it from the current directory or, where there is no work tree, its path in
// the repository.
func (s Source) Shown(file string) string {
	dir, local := s.workTree()
	if !local {
		return s.InRepository(file)
	}
	full := filepath.Join(dir, filepath.FromSlash(s.Path), filepath.FromSlash(file))
	if !filepath.IsAbs(full) {
		return full
	}
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, full); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return full
}

// InRepository returns the path of a file of the snapshot from the root of the
// repository, with slashes. A directory that no repository holds is its own
// root.
func (s Source) InRepository(file string) string {
	inside := path.Join(strings.TrimLeft(filepath.ToSlash(s.Path), "/"), file)
	dir, local := s.workTree()
	if !local {
		return inside
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return inside
	}
	for root := full; ; root = filepath.Dir(root) {
		if _, err := os.Lstat(filepath.Join(root, ".git")); err == nil {
			below, err := filepath.Rel(root, full)
			if err != nil {
				return inside
			}
			return path.Join(filepath.ToSlash(below), inside)
		}
		if root == filepath.Dir(root) {
			return inside
		}
	}
}

// workTree returns the directory that the files are in, false where they are in
// a store alone.
func (s Source) workTree() (string, bool) {
	if s.remote() {
		return "", false
	}
	dir := strings.TrimPrefix(s.Repo, "file://")
	if dir == "" {
		dir = "."
	}
	return dir, !bare(dir)
}
