// SPDX-License-Identifier: Apache-2.0

package source

import (
	"path/filepath"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// BenchmarkLoad loads one policy that says everything a policy can say.
func BenchmarkLoad(b *testing.B) {
	story, err := txtar.ParseFile(filepath.Join(storyDir, "ok_policy.txtar"))
	if err != nil {
		b.Fatal(err)
	}
	files := fstest.MapFS{"policy.yaml": {Data: story.Files[0].Data}}
	if _, ds := Load(files); len(ds) != 0 { // builds the schemas and rules
		b.Fatal(ds)
	}
	b.ReportAllocs()
	for b.Loop() {
		Load(files)
	}
}
