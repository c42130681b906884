// SPDX-License-Identifier: Apache-2.0

package source

import (
	"path/filepath"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// BenchmarkLoad loads the shortest useful policy, one that says much, a
// ClusterSet, and the documents that have every field.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"ok_shortest", "ok_policy", "ok_clusterset", "all_fields_policy", "all_fields_clusterset"} {
		story, err := txtar.ParseFile(filepath.Join(storyDir, name+".txtar"))
		if err != nil {
			b.Fatal(err)
		}
		files := fstest.MapFS{"a.yaml": {Data: story.Files[0].Data}}
		if _, ds := Load(files); len(ds) != 0 { // builds the schemas and rules
			b.Fatal(ds)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Load(files)
			}
		})
	}
}
