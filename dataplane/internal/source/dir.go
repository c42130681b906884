// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// maxFile is the size in bytes above which a file of the directory is refused:
// the API server would not take such an object either.
const maxFile = 16 << 20

// Dir reads the YAML and JSON files of a directory. Files that change are read
// again. To change several at once, or one that the agent could read half
// written, rename them into place.
type Dir struct {
	path, statePath string

	mu    sync.Mutex
	seen  []stamp
	last  Snapshot
	error error
	node  *v1alpha1.NodeState
}

// stamp tells whether a file changed.
type stamp struct {
	name string
	size int64
	time int64
}

// NewDir reads path. The NodeState is written to the file statePath.
func NewDir(path, statePath string) *Dir { return &Dir{path: path, statePath: statePath} }

// Run does nothing: Read looks itself.
func (d *Dir) Run(ctx context.Context) { <-ctx.Done() }

// Changed is nil: Read is cheap.
func (d *Dir) Changed() <-chan struct{} { return nil }

// Read reads the directory again if a file changed.
func (d *Dir) Read() (Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, err := d.stamps()
	if err != nil {
		return Snapshot{}, err
	}
	if d.seen == nil || !slices.Equal(before, d.seen) {
		d.last, d.error = d.readAll(before)
		if after, err := d.stamps(); err != nil || !slices.Equal(before, after) {
			d.seen = nil
			return Snapshot{}, &Waiting{For: []string{"the files of " + d.path + " to stay as they are"}}
		}
		d.seen = before
	}
	s := d.last
	s.NodeState = d.node
	return s, d.error
}

// stamps lists the files of the directory.
func (d *Dir) stamps() ([]stamp, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	out := []stamp{}
	for _, e := range entries {
		if !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(e.Name())) {
			continue
		}
		info, err := os.Stat(filepath.Join(d.path, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		out = append(out, stamp{e.Name(), info.Size(), info.ModTime().UnixNano()})
	}
	return out, nil
}

// readAll reads all files; the errors of all of them are given.
func (d *Dir) readAll(files []stamp) (Snapshot, error) {
	var s Snapshot
	var planes []*v1alpha1.Dataplane
	var errs []error
	for _, f := range files {
		p, err := readFile(filepath.Join(d.path, f.name), &s)
		planes = append(planes, p...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	var err error
	s.Dataplane, err = pick(planes)
	return s, errors.Join(append(errs, err)...)
}

// readFile adds the objects of a file to the snapshot and returns the
// Dataplanes.
func readFile(path string, s *Snapshot) (planes []*v1alpha1.Dataplane, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%d bytes are too many for one file: at most %d", info.Size(), maxFile)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for n := 1; ; n++ {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return planes, nil
		}
		if err == nil {
			planes, err = readDocument(doc, s, planes)
		}
		if err != nil {
			return planes, fmt.Errorf("document %d: %w", n, err)
		}
	}
}

// readDocument reads one object. Kinds that are not for the agent are passed
// over: the directory may be what the compiler wrote.
func readDocument(doc []byte, s *Snapshot, planes []*v1alpha1.Dataplane) ([]*v1alpha1.Dataplane, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return planes, nil
	}
	if err := sigsyaml.Unmarshal(doc, &head); err != nil {
		return planes, oneLine(err)
	}
	var err error
	switch head.APIVersion + " " + head.Kind {
	case v1alpha1.GroupVersion.String() + " " + v1alpha1.KindDataplane:
		d := &v1alpha1.Dataplane{}
		err = sigsyaml.UnmarshalStrict(doc, d)
		planes = append(planes, d)
	case v1alpha1.GroupVersion.String() + " " + v1alpha1.KindServiceRoute:
		var r v1alpha1.ServiceRoute
		err = sigsyaml.UnmarshalStrict(doc, &r)
		s.Routes = append(s.Routes, r)
	case discoveryv1.SchemeGroupVersion.String() + " EndpointSlice":
		var e discoveryv1.EndpointSlice
		err = sigsyaml.UnmarshalStrict(doc, &e)
		s.Slices = append(s.Slices, e)
	}
	return planes, oneLine(err)
}

// Publish writes the NodeState to its file where it differs.
func (d *Dir) Publish(_ context.Context, want v1alpha1.NodeState) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	content, err := sigsyaml.Marshal(want)
	if err != nil {
		return fmt.Errorf("write the NodeState: %w", err)
	}
	d.node = want.DeepCopy()
	if have, err := os.ReadFile(d.statePath); err == nil && bytes.Equal(have, content) {
		return nil
	}
	temp := d.statePath + ".new"
	err = os.WriteFile(temp, content, 0o644)
	if err == nil {
		err = os.Rename(temp, d.statePath)
	}
	if err != nil {
		return fmt.Errorf("write the NodeState: %w", err)
	}
	return nil
}

// Load takes over the NodeState that an earlier run wrote, so that nothing is
// written when nothing changed. A file that is not there or not understood is
// written anew.
func (d *Dir) Load() error {
	content, err := os.ReadFile(d.statePath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the NodeState: %w", err)
	}
	var n v1alpha1.NodeState
	if sigsyaml.Unmarshal(content, &n) == nil {
		d.node = &n
	}
	return nil
}

// oneLine makes an error of the YAML library fit a log line.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
