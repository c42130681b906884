// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// gitOnly is a kind that stands in git alone: its custom resource is only a step
// on the way to its schema.
const gitOnly = "fairlead.dev_traffictests.yaml"

func dropGitOnly() error { return os.Remove(filepath.Join(crdDir, gitOnly)) }

// written are the kinds that people write, by the plural that their custom
// resource is filed under.
var written = []string{"clustersets", "trafficpolicies", "traffictests"}

const (
	// nameForm is an RFC 1123 subdomain: what Kubernetes demands of the names of
	// objects of custom kinds.
	nameForm = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// labelForm is an RFC 1123 label: what it demands of namespaces.
	labelForm = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
)

// fromResources writes the JSON Schema and the CUE definition of each kind
// that people write.
func fromResources() error {
	for _, pattern := range []string{"zz_generated.*.json", "zz_generated.*.cue"} {
		if err := removeOld(filepath.Join(typesDir, pattern)); err != nil {
			return err
		}
	}
	for _, plural := range written {
		kind, schema, err := readSchema(filepath.Join(crdDir, "fairlead.dev_"+plural+".yaml"))
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			return err
		}
		definition, err := cueDefinition(kind, text)
		if err != nil {
			return fmt.Errorf("definition of %s: %w", kind, err)
		}
		base := filepath.Join(typesDir, "zz_generated."+strings.ToLower(kind))
		if err := write(base+".json", text); err != nil {
			return err
		}
		if err := os.WriteFile(base+".cue", definition, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readSchema returns the kind of a custom resource and the schema of its
// documents in git: closed, with metadata spelled out and without status.
func readSchema(file string) (string, map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	var resource apiextensions.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &resource); err != nil {
		return "", nil, fmt.Errorf("read %s: %w", file, err)
	}
	root := resource.Spec.Versions[0].Schema.OpenAPIV3Schema
	delete(root.Properties, "status")
	text, err = json.Marshal(root)
	if err != nil {
		return "", nil, err
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		return "", nil, err
	}
	closeObjects(schema)
	spec := resource.Spec
	properties := schema["properties"].(map[string]any)
	properties["apiVersion"] = oneOf(spec.Group + "/" + spec.Versions[0].Name)
	properties["kind"] = oneOf(spec.Names.Kind)
	properties["metadata"] = metadata(spec.Scope == apiextensions.NamespaceScoped)
	schema["required"] = []string{"apiVersion", "kind", "metadata", "spec"}
	return spec.Names.Kind, schema, nil
}

// closeObjects says of every object with named fields, or with none, that it
// has no others. Custom resources cannot say so: an API server prunes instead.
func closeObjects(schema map[string]any) {
	if schema["type"] == "object" && schema["additionalProperties"] == nil {
		schema["additionalProperties"] = false
	}
	if properties, ok := schema["properties"].(map[string]any); ok {
		for _, p := range properties {
			closeObjects(p.(map[string]any))
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			closeObjects(inner)
		}
	}
}

func oneOf(value string) map[string]any {
	return map[string]any{"type": "string", "enum": []any{value}}
}

// metadata is the part of an object's metadata that has a meaning in git.
func metadata(namespaced bool) map[string]any {
	texts := map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}}
	properties := map[string]any{
		"name":        map[string]any{"type": "string", "minLength": 1, "maxLength": 253, "pattern": nameForm},
		"labels":      texts,
		"annotations": texts,
	}
	required := []any{"name"}
	if namespaced {
		properties["namespace"] = map[string]any{"type": "string", "minLength": 1, "maxLength": 63, "pattern": labelForm}
		required = append(required, "namespace")
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
