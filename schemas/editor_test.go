// SPDX-License-Identifier: Apache-2.0

package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// editor compiles a schema as an editor does.
func editor(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	text, err := Editor(kind)
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

// documents returns the YAML documents of a file as JSON values, read by
// YAML 1.2 as editors do: "on" is a word.
func documents(t *testing.T, name string) []any {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []any
	for d := yaml.NewDecoder(file); ; {
		var one any
		if err := d.Decode(&one); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, value)
	}
}

// TestEditorsAcceptTheExamples: no document that the compiler takes is
// underlined in an editor.
func TestEditorsAcceptTheExamples(t *testing.T) {
	names, err := filepath.Glob("../policies-example/*/policies/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range names {
		for _, d := range documents(t, name) {
			kind, _ := d.(map[string]any)["kind"].(string)
			for _, schema := range []string{"", kind} {
				if err := editor(t, schema).Validate(d); err != nil {
					t.Errorf("%s by the schema %q: %v", name, schema, err)
				}
			}
		}
	}
}

func TestEditorsRefuseMistakes(t *testing.T) {
	const head = `{"apiVersion": "fairlead.dev/v1alpha1", "kind": "TrafficPolicy", "metadata": {"name": "a", "namespace": "b"}, `
	all := editor(t, "")
	for text, want := range map[string]string{
		`{"apiVersion": "fairlead.dev/v1alpha1"}`:                                             "missing property 'kind'",
		`{"apiVersion": "fairlead.dev/v1", "kind": "Policy"}`:                                 "value must be one of 'ClusterSet', 'TrafficPolicy'",
		head + `"spec": {"service": {"name": "a", "ports": [{"port": 1, "protocol": "h"}]}}}`: "value must be one of 'http', 'grpc', 'tls', 'tcp', 'udp'",
		head + `"spec": {"service": {"name": "a"}, "weigth": 1}}`:                             "additional properties 'weigth' not allowed",
		head + `"spec": {"service": {"name": "a", "ports": [{"port": 0}]}}}`:                  "minimum: got 0, want 1",
		head + `"spec": {"service": {"name": "A"}}}`:                                          "does not match pattern",
		head + `"spec": {}}`: "missing property 'service'",
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := all.Validate(value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestEditorsKnowWhatFieldsMean: completion has something to show.
func TestEditorsKnowWhatFieldsMean(t *testing.T) {
	s := editor(t, "TrafficPolicy")
	spec := s.Properties["spec"]
	if spec.Properties["rules"].Description == "" || spec.Properties["tls"].Properties["mode"].Enum == nil || s.Title != "TrafficPolicy" {
		t.Errorf("the schema has no descriptions, no values or no title: %+v", spec)
	}
	if _, err := Editor("Dataplane"); err == nil {
		t.Error("Dataplane has a schema, but nobody writes one")
	}
}

// TestEditorsFillInDefaults: what a comment says in one word of a field that is
// left out, and nothing else.
func TestEditorsFillInDefaults(t *testing.T) {
	all := map[string]any{}
	var visit func(s *jsonschema.Schema, path string)
	visit = func(s *jsonschema.Schema, path string) {
		if s.Default != nil {
			all[path] = *s.Default
			if err := s.Validate(*s.Default); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for name, p := range s.Properties {
			visit(p, path+"."+name)
		}
		if items, ok := s.Items.(*jsonschema.Schema); ok {
			visit(items, path)
		}
	}
	for _, kind := range []string{"TrafficPolicy", "ClusterSet"} {
		visit(editor(t, kind), kind)
	}
	for path, want := range map[string]string{
		"TrafficPolicy.spec.service.ports.protocol":                       "tcp",
		"TrafficPolicy.spec.rules.backends.weight":                        "1",
		"TrafficPolicy.spec.rules.faults.delay.percent":                   "100%",
		"TrafficPolicy.spec.rules.sessionAffinity.cookie.path":            "/",
		"TrafficPolicy.spec.resilience.outlierDetection.baseEjectionTime": "30s",
		"TrafficPolicy.spec.tls.mode":                                     "auto",
		"TrafficPolicy.spec.failover.minHealthy":                          "<nil>", // depends on the ClusterSet
		"TrafficPolicy.spec.rules.timeout":                                "<nil>",
		"ClusterSet.spec.domain":                                          "clusterset.local",
		"ClusterSet.spec.addresses.global":                                "242.0.0.0/8",
		"ClusterSet.spec.clusters.state":                                  "active",
		"ClusterSet.spec.clusters.istio.rootNamespace":                    "istio-system",
		"ClusterSet.spec.rollout.onFailure":                               "rollback",
		"ClusterSet.spec.clusters.gateways.ports":                         "51820",
	} {
		if got := fmt.Sprint(all[path]); got != want {
			t.Errorf("%s: default %s, want %s", path, got, want)
		}
	}
}
