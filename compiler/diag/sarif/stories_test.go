// SPDX-License-Identifier: Apache-2.0

package sarif

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// TestEveryStoryIsSARIF: what is said of every wrong document of the tests is a
// log by the standard's schema.
func TestEveryStoryIsSARIF(t *testing.T) {
	names, err := filepath.Glob("../../../*/testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	schema, codes, results := official(t), compiler.Codes(), 0
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := fstest.MapFS{}
		for _, f := range archive.Files {
			files[strings.TrimPrefix(f.Name, "policies/")] = &fstest.MapFile{Data: f.Data}
		}
		_, diags := compiler.Compile(files, inventory.Inventory{})
		results += len(diags)
		var out bytes.Buffer
		if err := Write(&out, diags, Options{Codes: codes}); err != nil {
			t.Fatal(err)
		}
		log, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if results < 100 {
		t.Errorf("the stories have only %d mistakes", results)
	}
}
