// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas"
)

// shape are the codes of mistakes that a JSON Schema can see. Forms (FL1111) are
// only some of them patterns.
var shape = []string{diag.CodeAPIVersion, diag.CodeKind, diag.CodeUnknownField, diag.CodeType, diag.CodeMissing, diag.CodeEnum, diag.CodeRange}

// TestEditorsSeeWhatWeSee: the JSON Schema for editors takes every document of a
// story without mistakes, of one document or of several, and refuses one at
// least where a mistake is one of shape.
func TestEditorsSeeWhatWeSee(t *testing.T) {
	schema := editorSchema(t)
	var names []string
	for _, dir := range []string{storyDir, "../../testdata"} {
		found, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil || len(found) == 0 {
			t.Fatalf("found %d stories in %s: %v", len(found), dir, err)
		}
		names = append(names, found...)
	}
	good, bad := 0, 0
	for _, name := range names {
		story, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := fstest.MapFS{}
		for _, f := range story.Files {
			if strings.HasSuffix(f.Name, ".yaml") && f.Name != "inventory.yaml" && !strings.HasPrefix(f.Name, ".fixed/") {
				files[f.Name] = &fstest.MapFile{Data: f.Data}
			}
		}
		_, ds := Load(files)
		refused, unreadable := refuses(schema, files)
		misshapen := slices.ContainsFunc(ds, func(d diag.Diagnostic) bool { return slices.Contains(shape, d.Code) })
		switch {
		case len(ds) == 0 && refused != nil:
			t.Errorf("%s: an editor underlines what is right: %v", name, refused)
		case misshapen && refused == nil && !unreadable:
			t.Errorf("%s: an editor sees nothing of %v", name, ds)
		case len(ds) == 0:
			good++
		case misshapen:
			bad++
		}
	}
	if good < 100 || bad < 10 {
		t.Errorf("only %d good and %d bad stories", good, bad)
	}
}

func editorSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := schemas.Editor("")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("fairlead.json", value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("fairlead.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ours tells whether a document is one that an editor has the schema for, and
// not an inventory or an object of another program beside it.
func ours(document any) bool {
	d, ok := document.(map[string]any)
	version, _ := d["apiVersion"].(string)
	return document != nil && (!ok || d["kind"] != "Inventory" && (strings.HasPrefix(version, "fairlead") || d["spec"] != nil))
}

func validate(schema *jsonschema.Schema, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// refuses returns what an editor says of the first document that it does not
// take, read by YAML 1.2 as editors do. Unreadable: there is something that is no
// such YAML, of which a schema says nothing.
func refuses(schema *jsonschema.Schema, files fstest.MapFS) (refused error, unreadable bool) {
	for _, f := range files {
		for d := yaml.NewDecoder(bytes.NewReader(f.Data)); ; {
			var one any
			if err := d.Decode(&one); err != nil {
				unreadable = unreadable || err != io.EOF
				break
			}
			if ours(one) {
				refused = cmp.Or(refused, validate(schema, one))
			}
		}
	}
	return refused, unreadable
}
