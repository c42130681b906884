// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// listName is the file that names what was written to a directory, so that the
// next time nothing else is touched.
const listName = ".fairlead-files"

// writeDirectory makes a directory hold the files, and nothing else that was
// written by it before. It refuses a directory that has anything else in it.
// Files are replaced whole or not at all; those that are as they should be are
// not touched. It returns one line per change, also on failure.
func writeDirectory(dir string, files map[string][]byte) (changes []string, err error) {
	before, err := writtenBefore(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory %s: %w", dir, err)
	}
	names := slices.Sorted(maps.Keys(files))
	// The list first names what was and what will be: an interrupted run
	// leaves no file that is not in it.
	if err := writeList(dir, append(slices.Clone(before), names...)); err != nil {
		return nil, err
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		verb := "changed"
		if err != nil {
			verb = "created"
		}
		if err := replace(path, files[name]); err != nil {
			return changes, err
		}
		changes = append(changes, verb+" "+path)
	}
	for _, name := range before {
		if _, wanted := files[name]; wanted {
			continue
		}
		path := filepath.Join(dir, name)
		switch err := os.Remove(path); {
		case err == nil:
			changes = append(changes, "removed "+path)
		case !os.IsNotExist(err):
			return changes, fmt.Errorf("remove what is not wanted any more: %w", err)
		}
	}
	return changes, writeList(dir, names)
}

// writtenBefore returns the names of the files that an earlier run wrote. It
// fails where the directory has others.
func writtenBefore(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", dir, err)
	}
	list, err := os.ReadFile(filepath.Join(dir, listName))
	if err != nil {
		return nil, fmt.Errorf("%s is not empty and was not written by fairlead compile; choose another directory", dir)
	}
	var names []string
	for name := range strings.Lines(string(list)) {
		name = strings.TrimSuffix(name, "\n")
		if fs.ValidPath(name) && !strings.Contains(name, "/") && strings.HasSuffix(name, ".yaml") {
			names = append(names, name)
		}
	}
	return names, nil
}

func writeList(dir string, names []string) error {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	text := []byte(strings.Join(slices.Compact(sorted), "\n") + "\n")
	path := filepath.Join(dir, listName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return replace(path, text)
}

// replace writes a file beside its name and moves it there.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".fairlead-*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if chmod := f.Chmod(0o644); err == nil {
		err = chmod
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
