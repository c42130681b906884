// SPDX-License-Identifier: Apache-2.0

package git

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// treeFS is a commit's tree as a file system. Regular files can be read;
// symbolic links and submodules are listed and cannot be opened.
type treeFS struct {
	// lock: go-git's stores are not made for concurrent readers.
	lock  *sync.Mutex
	store storer.EncodedObjectStorer
	root  *object.Tree
}

func newTreeFS(store storer.EncodedObjectStorer, root *object.Tree) treeFS {
	return treeFS{lock: &sync.Mutex{}, store: store, root: root}
}

// Open implements fs.FS.
func (t treeFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if name == "." {
		return t.openDir(t.root, info{name: ".", mode: fs.ModeDir | 0o555}), nil
	}
	entry, err := t.root.FindEntry(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	about := t.about(*entry)
	about.name = path.Base(name)
	switch {
	case about.mode.IsDir():
		tree, err := object.GetTree(t.store, entry.Hash)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return t.openDir(tree, about), nil
	case !about.mode.IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return &file{fs: t, info: about}, nil
}

// about describes an entry of a tree. Sizes are looked up when they are asked
// for: that needs the object's header.
func (t treeFS) about(e object.TreeEntry) info {
	i := info{name: e.Name, hash: e.Hash, fs: t}
	switch e.Mode {
	case filemode.Dir:
		i.mode = fs.ModeDir | 0o555
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		i.mode = 0o444
	case filemode.Symlink:
		i.mode = fs.ModeSymlink | 0o444
	default: // a submodule
		i.mode = fs.ModeIrregular
	}
	return i
}

func (t treeFS) openDir(tree *object.Tree, about info) *dir {
	d := &dir{info: about}
	for _, e := range tree.Entries {
		d.entries = append(d.entries, t.about(e))
	}
	// git sorts directories as if their names ended in a slash.
	slices.SortFunc(d.entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return d
}

// info is both what fs.FileInfo and what fs.DirEntry ask for.
type info struct {
	name string
	mode fs.FileMode
	hash plumbing.Hash
	fs   treeFS
}

func (i info) Name() string               { return i.name }
func (i info) Mode() fs.FileMode          { return i.mode }
func (i info) Type() fs.FileMode          { return i.mode.Type() }
func (i info) IsDir() bool                { return i.mode.IsDir() }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) Sys() any                   { return nil }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) String() string             { return fs.FormatFileInfo(i) }

// Size returns the length of a regular file in bytes, without loading it; zero
// for everything else.
func (i info) Size() int64 {
	if !i.mode.IsRegular() {
		return 0
	}
	i.fs.lock.Lock()
	defer i.fs.lock.Unlock()
	size, err := i.fs.store.EncodedObjectSize(i.hash)
	if err != nil {
		return 0 // reading it will say why
	}
	return size
}

// file loads its blob at the first read.
type file struct {
	info
	content *bytes.Reader
	fs      treeFS
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

func (f *file) Read(p []byte) (int, error) {
	if f.content == nil {
		if err := f.load(); err != nil {
			return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
		}
	}
	return f.content.Read(p)
}

func (f *file) load() error {
	f.fs.lock.Lock()
	defer f.fs.lock.Unlock()
	blob, err := object.GetBlob(f.fs.store, f.hash)
	if err != nil {
		return err
	}
	r, err := blob.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	f.content = bytes.NewReader(content)
	return err
}

// dir lists a tree.
type dir struct {
	info
	entries []fs.DirEntry
	at      int
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *dir) Close() error               { return nil }
func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.entries[d.at:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.at += len(rest)
	return slices.Clone(rest), nil
}
