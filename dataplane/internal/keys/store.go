// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FileName of the key in its directory.
const FileName = "wireguard.key"

const (
	dirMode  = 0o700
	fileMode = 0o600
	// maxFile bounds what is read of a file that cannot be a key anyway.
	maxFile = 4096
)

// Load returns the key in dir, and makes the directory and the key where there
// is none.
func Load(dir string) (Private, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return Private{}, fmt.Errorf("make the state directory: %w", err)
	}
	path := filepath.Join(dir, FileName)
	key, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir, path)
	}
	return key, err
}

// Lost says that there is no key file, nor anything else in its place.
func Lost(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, FileName))
	return errors.Is(err, fs.ErrNotExist)
}

// Keep writes a key that is in use to where somebody removed its file, or the
// whole directory: the next start would make another key, which other clusters
// would have to learn first. A file that is there stays, whatever it holds.
func Keep(dir string, key Private) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	_, err := store(dir, filepath.Join(dir, FileName), key)
	return err
}

// read reads a key file that others cannot read.
func read(path string) (Private, error) {
	f, err := os.Open(path)
	if err != nil {
		return Private{}, fmt.Errorf("read the private key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Private{}, fmt.Errorf("read the private key: %w", err)
	}
	if open := info.Mode().Perm() &^ fileMode; open != 0 {
		return Private{}, fmt.Errorf("read the private key: %s has mode %#o, so others may know it: "+
			"set it to %#o if they do not, or move it away for a new key", path, info.Mode().Perm(), fileMode)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Private{}, fmt.Errorf("read the private key: %w", err)
	}
	key, err := parse(strings.TrimSuffix(string(content), "\n"))
	if err != nil {
		return Private{}, fmt.Errorf("read the private key %s: %w; restore it, or move it away for a new key", path, err)
	}
	return key, nil
}

// create writes a new key.
func create(dir, path string) (Private, error) {
	key, err := generate(rand.Reader)
	if err != nil {
		return Private{}, err
	}
	return store(dir, path, key)
}

// store writes a key. Linking fails where a file is already, so a key is never
// replaced; the one that is there is then taken.
func store(dir, path string, key Private) (Private, error) {
	raw := key.Reveal()
	temp, err := writeTemp(dir, base64.StdEncoding.EncodeToString(raw[:])+"\n")
	if err != nil {
		return Private{}, fmt.Errorf("write the private key: %w", err)
	}
	defer os.Remove(temp)
	err = os.Link(temp, path)
	if errors.Is(err, fs.ErrExist) {
		return read(path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return Private{}, fmt.Errorf("write the private key: %w", err)
	}
	return key, nil
}

// writeTemp writes a file that only root can read and returns its name once it
// is on the disk.
func writeTemp(dir, content string) (name string, err error) {
	f, err := os.CreateTemp(dir, FileName+".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncDir makes a new name in the directory survive a crash of the machine.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
