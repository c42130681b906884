// SPDX-License-Identifier: Apache-2.0

package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fairlead/fairlead/compiler/diag"
)

// official is the schema that the standard's committee publishes.
func official(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("testdata/sarif-2.1.0-rtm.5.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// written writes a log, holds it against the schema and reads it back.
func written(t *testing.T, ds []diag.Diagnostic) log {
	t.Helper()
	var out bytes.Buffer
	codes := []diag.Code{{ID: "FL1011", Title: "link", Doc: "Put it here.", Severity: diag.Warning}, {ID: "FL1108", Title: "value", Doc: "See."}}
	if err := Write(&out, ds, Options{Version: "v1.2.3", Codes: codes}); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := official(t).Validate(value); err != nil {
		t.Errorf("this is not SARIF 2.1.0: %v\n%s", err, out.String())
	}
	var l log
	if err := json.Unmarshal(out.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// some are diagnostics of all shapes.
func some() []diag.Diagnostic {
	ds := []diag.Diagnostic{
		{Code: "FL1108", Severity: diag.Error, Message: "a\u2028<b>", Fix: "c", Position: diag.Position{File: "d é/a%b.yaml", Line: 2, Column: 4},
			Rule:    diag.Position{File: "guardrails/eu.cue", Line: 3, Column: 1},
			Related: []diag.Related{{Position: diag.Position{File: "c:d.yaml", Line: 1}, Message: "the first one"}}},
		{Code: "FL1011", Severity: diag.Warning, Message: "link", Position: diag.Position{File: "l.yaml"}},
		{Code: "FL1108", Severity: diag.Error, Message: "other", Position: diag.Position{File: "d.yaml", Line: 1},
			Rule: diag.Position{File: "schemas/v1alpha1/rules.cue", Line: 3, Column: 1}},
		{Code: "FL1010", Severity: diag.Error, Message: "nothing", Position: diag.Position{File: "."}},
	}
	diag.Locate(fstest.MapFS{"d é/a%b.yaml": {Data: []byte("\nab htp: x\n")}}, ds)
	return ds
}

func TestWrite(t *testing.T) {
	r := written(t, some()).Runs[0]
	rules := r.Tool.Driver.Rules
	if len(rules) != 3 || rules[0].ID != "FL1108" || rules[1].Defaults.Level != "warning" || rules[2].Short.Text != "FL1010" {
		t.Errorf("rules: %+v", rules)
	}
	if want := "https://github.com/fairlead/fairlead/blob/main/docs/codes/FL1108.md"; rules[0].HelpURI != want {
		t.Errorf("helpUri %s, want %s", rules[0].HelpURI, want)
	}
	for _, one := range r.Results {
		if rules[one.RuleIndex].ID != one.RuleID {
			t.Errorf("%s points at the rule %s", one.RuleID, rules[one.RuleIndex].ID)
		}
	}
	first := r.Results[0]
	at := first.Locations[0].Physical
	if at.Artifact.URI != "d%20%C3%A9/a%25b.yaml" || *at.Region != (region{2, 4, 7}) || first.Message.Text != "a\u2028<b> (c)" {
		t.Errorf("the first is %+v at %+v", first, at)
	}
	if len(first.Related) != 2 || first.Related[0].Physical.Artifact.URI != "./c:d.yaml" ||
		first.Related[1].Physical.Artifact.URI != "guardrails/eu.cue" {
		t.Errorf("related: %+v", first.Related)
	}
	if third := r.Results[2]; len(third.Related) != 0 || third.Properties["rule"] != "schemas/v1alpha1/rules.cue:3:1" {
		t.Errorf("the third is %+v", third)
	}
	if r.Results[1].Locations[0].Physical.Region != nil || len(r.Results[3].Locations) != 0 {
		t.Errorf("places without lines: %+v", r.Results)
	}
}

func TestNothingIsALogToo(t *testing.T) {
	if r := written(t, nil).Runs[0]; r.Results == nil || len(r.Results) != 0 {
		t.Errorf("results: %v", r.Results)
	}
}

// TestFingerprints: they stay when lines move, and tell apart what is not the
// same mistake.
func TestFingerprints(t *testing.T) {
	prints := func(text string, lines ...int) (all []string) {
		var ds []diag.Diagnostic
		for _, n := range lines {
			ds = append(ds, diag.Diagnostic{Code: "FL1108", Severity: diag.Error, Message: "m", Position: diag.Position{File: "a.yaml", Line: n, Column: 1}})
		}
		diag.Locate(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, ds)
		for _, one := range written(t, ds).Runs[0].Results {
			all = append(all, one.Fingerprints[fingerprintID])
		}
		return all
	}
	before := prints("a: 1\nb: 1\na: 1\n", 1, 2, 3)
	after := prints("# new\n\na: 1\nb: 1\n a: 1\n", 3, 4, 5)
	if strings.Join(before, " ") != strings.Join(after, " ") {
		t.Errorf("%v became %v", before, after)
	}
	if before[0] == before[1] || before[0] == before[2] {
		t.Errorf("different mistakes have one fingerprint: %v", before)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFaultsOfTheWriterAreReturned(t *testing.T) {
	if err := Write(full{}, some(), Options{}); err == nil {
		t.Error("nothing was said")
	}
}
