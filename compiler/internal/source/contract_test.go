// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// visit calls f with every schema below s.
func (s *schema) visit(path string, f func(path string, s *schema)) {
	f(path, s)
	for name, p := range s.Properties {
		p.visit(join(path, name), f)
	}
	for _, inner := range []*schema{s.Items, s.Values} {
		if inner != nil {
			inner.visit(path+"[]", f)
		}
	}
}

// TestShapesAreOnesThatAreChecked fails when a type gets a marker whose meaning
// the checks here do not know.
func TestShapesAreOnesThatAreChecked(t *testing.T) {
	for kind, root := range shapes() {
		root.visit("", func(path string, s *schema) {
			switch {
			case !slices.Contains([]string{"object", "array", "string", "integer", "boolean"}, s.Type):
				t.Errorf("%s %s: nothing checks the type %q", kind, path, s.Type)
			case s.Type == "integer" && (s.Minimum == nil || s.Maximum == nil):
				t.Errorf("%s %s: a number needs a least and a most", kind, path)
			case s.Type == "array" && s.MaxItems == nil:
				t.Errorf("%s %s: a list needs a bound, or a document could keep the rules busy for ever", kind, path)
			case s.Pattern != nil && formHelp[s.Pattern.String()] == "":
				t.Errorf("%s %s: say in formHelp what %s means", kind, path, s.Pattern)
			case s.Items != nil && s.Items.Properties == nil && s.Items.once == "":
				t.Errorf("%s %s: say in lists what an item is called", kind, path)
			case s.Format != "" && s.Format != "int32":
				t.Errorf("%s %s: nothing checks the format %q", kind, path, s.Format)
			}
		})
	}
}

// TestEveryTypeIsKnown fails when the checks lose sight of the Go type of a
// field, or when a type of text gets neither a form nor a check.
func TestEveryTypeIsKnown(t *testing.T) {
	ours := reflect.TypeFor[v1alpha1.Duration]().PkgPath()
	checked := map[reflect.Type]bool{}
	for kind, root := range shapes() {
		root.Properties["spec"].visit("spec", func(path string, s *schema) {
			switch {
			case s.typ == nil:
				t.Errorf("%s %s: its Go type is not known", kind, path)
			case typeChecks[s.typ] != nil:
				checked[s.typ] = true
			case s.Type == "string" && s.typ.PkgPath() == ours && s.Pattern == nil && len(s.Enum) == 0:
				t.Errorf("%s %s: nothing checks a %s", kind, path, s.typ.Name())
			}
		})
	}
	if len(checked) != len(typeChecks) {
		t.Errorf("of %d checked types the kinds have %d", len(typeChecks), len(checked))
	}
}

// TestMistakesNameTheirRule checks that each mistake of rules.cue points at the
// line of the rule, or of the row.
func TestMistakesNameTheirRule(t *testing.T) {
	texts, err := schemas.CUE()
	if err != nil {
		t.Fatal(err)
	}
	for text, rule := range map[string]string{
		"  rules: [{backends: [{cluster: a, weight: 0}]}]\n": "noWeight: [",
		"  exports: {from: {}}\n":                            "{",
	} {
		_, ds := loadPolicy("  service: {name: reviews}\n" + text)
		if len(ds) != 1 {
			t.Fatalf("got %v", ds)
		}
		at := ds[0].Rule
		lines := strings.Split(texts[at.File], "\n")
		if at.File != "schemas/v1alpha1/rules.cue" || strings.TrimSpace(lines[at.Line-1]) != rule {
			t.Errorf("the rule is said to be at %s", at)
		}
		if rule == "{" && !strings.Contains(lines[at.Line], ds[0].Code) {
			t.Errorf("the row is said to be at %s: %s", at, lines[at.Line])
		}
	}
}

// TestDisagreementIsReported gives the rules a definition that demands more
// than the checks in Go know.
func TestDisagreementIsReported(t *testing.T) {
	texts, err := schemas.CUE()
	if err != nil {
		t.Fatal(err)
	}
	texts["more.cue"] = "package v1alpha1\n#TrafficPolicy: spec!: service!: name!: \"other\"\n"
	sets, err := buildRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := parse(chunk{file: "a.yaml", line: 1, text: []byte(smallPolicy)})
	origin := newOrigin(root, chunk{file: "a.yaml"})
	ds := sets[v1alpha1.KindTrafficPolicy].check(v1alpha1.KindTrafficPolicy, newContext().Encode(root.value()), origin)
	if len(ds) != 1 || ds[0].Code != diag.CodeDefinition {
		t.Errorf("got %v", ds)
	}
}

// TestTypesThatDoNotFit decodes what no check let through.
func TestTypesThatDoNotFit(t *testing.T) {
	for _, kind := range written {
		l := &loader{}
		root, _ := parse(chunk{file: "a.yaml", line: 1, text: []byte("metadata: []\n")})
		if ds := l.keep(root, kind, Origin{}); len(ds) != 1 || ds[0].Code != diag.CodeDefinition {
			t.Errorf("%s: got %v", kind, ds)
		}
	}
}

func TestUnknownKeywordsOfSchemasAreRefused(t *testing.T) {
	for _, text := range []string{`{"type": "string", "oneOf": []}`, `{"type": "string", "pattern": "("}`, `{"additionalProperties": {"not": {}}}`} {
		if err := json.Unmarshal([]byte(text), &schema{}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

// TestRuleThatStumblesIsReported gives the rules one that says too little.
func TestRuleThatStumblesIsReported(t *testing.T) {
	texts, err := schemas.CUE()
	if err != nil {
		t.Fatal(err)
	}
	texts["more.cue"] = "package v1alpha1\n#TrafficPolicyRules: mistakes: short: [{code: \"FL1299\"}]\n"
	sets, err := buildRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := parse(chunk{file: "a.yaml", line: 1, text: []byte(smallPolicy)})
	origin := newOrigin(root, chunk{file: "a.yaml"})
	c := newChecker(v1alpha1.KindTrafficPolicy)
	ds := c.ruleMistakes(sets[c.kind], newContext().Encode(root.value()), origin)
	if len(ds) != 1 || ds[0].Code != diag.CodeDefinition {
		t.Errorf("got %v", ds)
	}
}

func TestBrokenRulesAreRefused(t *testing.T) {
	for _, text := range []string{"", "package v1alpha1\na: b: {", "package v1alpha1\na: 1 & 2\n", "package v1alpha1\nimport \"nowhere.example/x\"\n"} {
		if _, err := buildRules(map[string]string{"a.cue": text}); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// TestBrokenTablesAreRefused gives the tables rows that nothing could follow.
func TestBrokenTablesAreRefused(t *testing.T) {
	const head = `code: "FL1299", message: "a", fix: "b", `
	for name, row := range map[string]string{
		"a path that is nowhere":   "nothing: [{" + head + `at: ["spec.colour"], of: ["a"]}]`,
		"a field that is nowhere":  "nothing: [{" + head + `at: ["spec.service"], of: ["colour"]}]`,
		"a way that leads nowhere": "order: [{" + head + `at: ["spec.service"], less: "name.a.b", more: "name", moreIs: "c"}]`,
		"no list":                  "forms: 1",
		"a row that lacks a field": `distinct: [{at: ["spec.rules"]}]`,
		"no expression":            "forms: [{" + head + `at: ["spec.clusterSet"], form: "("}]`,
	} {
		tables := "choices: [], nothing: [], when: [], order: [], forms: [], distinct: []"
		table, _, _ := strings.Cut(row, ":")
		tables = strings.Replace(tables, table+": []", row, 1)
		texts, err := schemas.CUE()
		if err != nil {
			t.Fatal(err)
		}
		all := texts["schemas/v1alpha1/rules.cue"]
		texts["schemas/v1alpha1/rules.cue"] = strings.Replace(all, "tables: TrafficPolicy: {", "tables: TrafficPolicy: {"+tables+"}\nothers: {", 1)
		sets, err := buildRules(texts)
		if err != nil {
			t.Fatal(name, err)
		}
		root := &schema{}
		text, err := schemas.JSONSchema(v1alpha1.KindTrafficPolicy)
		if err == nil {
			err = json.Unmarshal(text, root)
		}
		if err != nil {
			t.Fatal(err)
		}
		root.locate("", documentTypes[v1alpha1.KindTrafficPolicy])
		if err := readTables(sets[v1alpha1.KindTrafficPolicy].tables, root); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
