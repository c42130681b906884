// SPDX-License-Identifier: Apache-2.0

package sysctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

const (
	room = "sysctl"
	// recordName of the file in the state directory.
	recordName = "sysctl.json"
	root       = "/proc/sys"
)

// Kernel sets parameters in the network namespace of the calling thread.
type Kernel struct {
	// StateDir holds the record.
	StateDir string
}

// Plan lists the parameters that differ. A parameter of an interface that does
// not exist yet is planned too, because the interface is made before it.
func (k Kernel) Plan(_ context.Context, s desired.State) (op.Plan, error) {
	var p op.Plan
	for _, want := range Want(s) {
		found, _ := get(want.Name)
		if found == want.Value {
			continue
		}
		p.Add = append(p.Add, op.Op{
			Room: room, Text: fmt.Sprintf("set %s from %q to %q", want.Name, found, want.Value),
			Do: func(context.Context) error { return k.set(want, found) },
		})
	}
	return p, nil
}

// CleanUp lists what puts the recorded values back and removes the record.
func (k Kernel) CleanUp(context.Context) ([]op.Op, error) {
	record, err := k.read()
	if err != nil || len(record) == 0 {
		return nil, err
	}
	var out []op.Op
	for _, s := range toRestore(record, get) {
		out = append(out, op.Op{
			Room: room, Text: fmt.Sprintf("restore %s to %q", s.Name, s.Value),
			Do: func(context.Context) error { return put(s) },
		})
	}
	return append(out, op.Op{
		Room: room, Text: "forget the recorded values",
		Do: func(context.Context) error { return os.Remove(filepath.Join(k.StateDir, recordName)) },
	}), nil
}

// set records the value found, if it is the first time, and makes the change.
func (k Kernel) set(s Setting, found string) error {
	if s.Recorded {
		record, err := k.read()
		if err != nil {
			return err
		}
		if _, known := record[s.Name]; !known {
			record[s.Name] = entry{Found: found, Set: s.Value}
			if err := k.write(record); err != nil {
				return err
			}
		}
	}
	return put(s)
}

// read returns the record; empty where there is none.
func (k Kernel) read() (map[string]entry, error) {
	record := map[string]entry{}
	content, err := os.ReadFile(filepath.Join(k.StateDir, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return record, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &record)
	}
	if err != nil {
		return nil, fmt.Errorf("read the recorded values: %w", err)
	}
	return record, nil
}

// write replaces the record in one step, and returns when it is on the disk.
func (k Kernel) write(record map[string]entry) (err error) {
	content, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(k.StateDir, recordName+".new-*")
	if err != nil {
		return fmt.Errorf("record the values: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(content, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(k.StateDir, recordName))
	}
	if err != nil {
		return fmt.Errorf("record the values: %w", err)
	}
	return nil
}

// get reads a parameter.
func get(name string) (value string, found bool) {
	content, err := os.ReadFile(filepath.Join(root, name))
	return strings.TrimSpace(string(content)), err == nil
}

// put writes a parameter.
func put(s Setting) error {
	return os.WriteFile(filepath.Join(root, s.Name), []byte(s.Value), 0)
}
