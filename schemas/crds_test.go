// SPDX-License-Identifier: Apache-2.0

package schemas

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

const crdDir = "../deploy/crds"

// TestCustomResources loads the definitions as an API server does and checks
// what it demands of them: a structural schema, one stored version, a status
// subresource and columns that speak of fields that exist.
func TestCustomResources(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(crdDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		kinds = append(kinds, crd.Spec.Names.Kind+"."+crd.Spec.Group)
		checkResource(t, crd)
	}
	want := []string{"AppliedBundle.fairlead.dev", "ClusterSet.fairlead.dev", "Dataplane.fairlead.dev", "NodeState.fairlead.dev",
		"ServiceRoute.fairlead.dev", "TrafficPolicy.fairlead.dev", "ServiceExport.multicluster.x-k8s.io", "ServiceImport.multicluster.x-k8s.io"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func checkResource(t *testing.T, crd apiextensionsv1.CustomResourceDefinition) {
	stored := ""
	for _, v := range crd.Spec.Versions {
		if v.Storage {
			stored += v.Name
		}
		if v.Subresources == nil || v.Subresources.Status == nil || len(v.AdditionalPrinterColumns) == 0 || !v.Served {
			t.Errorf("%s %s lacks a status subresource, a column, or is not served", crd.Name, v.Name)
		}
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			t.Errorf("%s %s: %v", crd.Name, v.Name, err)
			continue
		}
		s, err := structural.NewStructural(&internal)
		if err != nil {
			t.Errorf("%s %s is not structural: %v", crd.Name, v.Name, err)
			continue
		}
		for _, err := range structural.ValidateStructural(field.NewPath("schema"), s) {
			t.Errorf("%s %s is not structural: %v", crd.Name, v.Name, err)
		}
	}
	want := map[string]string{"fairlead.dev": "v1alpha1", "multicluster.x-k8s.io": "v1beta1"}[crd.Spec.Group]
	if stored != want {
		t.Errorf("%s stores %q, want %q", crd.Name, stored, want)
	}
}

func TestEveryKindThatPeopleWriteHasASchema(t *testing.T) {
	for _, kind := range []string{"ClusterSet", "TrafficPolicy"} {
		if text, err := JSONSchema(kind); err != nil || len(text) == 0 {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := JSONSchema("Dataplane"); err == nil {
		t.Error("Dataplane has a schema, but nobody writes one")
	}
}
