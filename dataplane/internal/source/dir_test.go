// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

const plane = "apiVersion: fairlead.dev/v1alpha1\nkind: Dataplane\nmetadata: {name: production, generation: 3}\nspec: {cluster: c1}\n"

func TestDirReads(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // of the error
		plane bool
		count int // routes and slices
	}{
		"nothing":  {nil, "", false, 0},
		"one file": {map[string]string{"a.yaml": plane}, "", true, 0},
		"several documents and kinds": {map[string]string{
			"a.yaml": "---\n" + plane + "---\n---\napiVersion: v1\nkind: Service\nwhatever: true\n---\napiVersion: fairlead.dev/v1alpha1\nkind: ServiceRoute\nmetadata: {name: web}\n",
			"b.json": `{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-1"}, "addressType": "IPv4", "endpoints": []}`,
			"c.txt":  "not: [for us",
		}, "", true, 2},
		"two Dataplanes":  {map[string]string{"a.yaml": plane, "b.yml": strings.Replace(plane, "production", "staging", 1)}, "2 Dataplanes (production, staging)", false, 0},
		"unknown field":   {map[string]string{"a.yaml": plane + "status: {extra: 1}\n"}, `a.yaml: document 1: error unmarshaling JSON`, true, 0},
		"wrong type":      {map[string]string{"a.yaml": strings.Replace(plane, "c1", "[1]", 1)}, "a.yaml: document 1", true, 0},
		"broken YAML":     {map[string]string{"a.yaml": "a: [\n", "b.yaml": plane}, "a.yaml: document 1", true, 0},
		"every bad file":  {map[string]string{"a.yaml": "a: [\n", "b.yaml": "b: {\n"}, "b.yaml: document 1", false, 0},
		"a huge document": {map[string]string{"a.yaml": strings.Repeat("#", maxFile+1)}, "too many for one file", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, err := NewDir(dir, "").Read()
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if (s.Dataplane != nil) != c.plane || len(s.Routes)+len(s.Slices) != c.count {
				t.Errorf("read %+v", s)
			}
		})
	}
}

func TestDirSeesChanges(t *testing.T) {
	dir := t.TempDir()
	d := NewDir(dir, "")
	if s, err := d.Read(); err != nil || s.Dataplane != nil {
		t.Fatal(s, err)
	}
	path := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(path, []byte(plane), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s, err := d.Read(); err != nil || s.Dataplane == nil || s.Dataplane.Generation != 3 {
			t.Fatal(s, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(); err == nil {
		t.Error("a missing directory is an empty one")
	}
}

func TestDirPublishes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.yaml")
	d := NewDir(t.TempDir(), path)
	want := v1alpha1.NodeState{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Spec: v1alpha1.NodeStateSpec{PublicKey: "k"}}
	if err := d.Load(); err != nil {
		t.Fatal(err)
	}
	publish := func() os.FileInfo {
		if err := d.Publish(context.Background(), want); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := publish()
	if again := publish(); !os.SameFile(first, again) {
		t.Error("the same was written again")
	}
	next := NewDir(t.TempDir(), path)
	if err := next.Load(); err != nil {
		t.Fatal(err)
	}
	if s, err := next.Read(); err != nil || s.NodeState == nil || s.NodeState.Spec.PublicKey != "k" {
		t.Errorf("after a start: %+v, %v", s.NodeState, err)
	}
	want.Spec.PublicKey = "l"
	if changed := publish(); os.SameFile(first, changed) {
		t.Error("a change was not written, or not in one step")
	}
}
