// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// TestDefinitionsAreServed: a real API server takes every definition of
// deploy/crds as it is, with a structural schema, and serves it.
func TestDefinitionsAreServed(t *testing.T) {
	c := Start(t, 1)[0]
	names, err := filepath.Glob(filepath.Join(sourceRoot(), "deploy", "crds", "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no definitions: %v", err)
	}
	definitions := c.Dynamic(t).Resource(apiextensions.SchemeGroupVersion.WithResource("customresourcedefinitions"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want apiextensions.CustomResourceDefinition
		if err := sigsyaml.UnmarshalStrict(text, &want); err != nil {
			t.Fatal(err)
		}
		answer, err := definitions.Get(context.Background(), want.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got apiextensions.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, &got); err != nil {
			t.Fatal(err)
		}
		status := map[apiextensions.CustomResourceDefinitionConditionType]apiextensions.ConditionStatus{}
		for _, condition := range got.Status.Conditions {
			status[condition.Type] = condition.Status
		}
		if status[apiextensions.Established] != apiextensions.ConditionTrue || status[apiextensions.NamesAccepted] != apiextensions.ConditionTrue ||
			status[apiextensions.NonStructuralSchema] == apiextensions.ConditionTrue {
			t.Errorf("%s: %+v", want.Name, got.Status.Conditions)
		}
	}
}

// stored are the kinds that people write and clusters can hold, by resource.
var stored = map[string]string{v1alpha1.KindClusterSet: "clustersets", v1alpha1.KindTrafficPolicy: "trafficpolicies"}

// dryRun applies an object without writing it; unknown and repeated fields are
// errors.
func (c Cluster) dryRun(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	resource := v1alpha1.GroupVersion.WithResource(stored[o.GetKind()])
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Dynamic(t).Resource(resource).Namespace(o.GetNamespace()).Patch(context.Background(), o.GetName(), types.ApplyPatchType, text,
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict, FieldManager: "somebody"})
	return err
}

// people returns the documents of a file that a cluster can hold.
func people(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []*unstructured.Unstructured
	for d := yaml.NewDecoder(file); ; {
		o := &unstructured.Unstructured{}
		if err := d.Decode(&o.Object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if stored[o.GetKind()] != "" {
			all = append(all, o)
		}
	}
}

// TestExamplesAreAccepted: a real API server takes every document of the
// scenarios, with strict validation of its fields.
func TestExamplesAreAccepted(t *testing.T) {
	c := Start(t, 1)[0]
	names, err := filepath.Glob(filepath.Join(sourceRoot(), "policies-example", "*", "policies", "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	made := map[string]bool{"": true, "default": true}
	for _, name := range names {
		for _, o := range people(t, name) {
			if ns := o.GetNamespace(); !made[ns] {
				made[ns] = true
				c.Namespace(t, ns)
			}
			if err := c.dryRun(t, o); err != nil {
				t.Errorf("%s: %s %s: %v", name, o.GetKind(), o.GetName(), err)
			}
		}
	}
}

// TestMistakesAreRefused: the definitions say no as well.
func TestMistakesAreRefused(t *testing.T) {
	c := Start(t, 1)[0]
	for spec, want := range map[string]string{
		`{"service": {"name": "a"}, "weigth": 1}`:                                "field not declared in schema",
		`{"service": {"name": "a", "ports": [{"port": 80, "protocol": "htp"}]}}`: `Unsupported value: "htp"`,
		`{"service": {"name": "A"}}`:                                             "should match",
		`{}`:                                                                     "Required value",
	} {
		o := &unstructured.Unstructured{}
		text := `{"apiVersion": "fairlead.dev/v1alpha1", "kind": "TrafficPolicy", "metadata": {"name": "a", "namespace": "default"}, "spec": ` + spec + `}`
		if err := json.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		if err := c.dryRun(t, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", spec, err, want)
		}
	}
}
