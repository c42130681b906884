// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/manifest"
)

// class is what makes Gateways of the class eg this program's.
const class = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: ` + Controller + `}
`

// prepare makes what every Gateway needs.
func (s *Server) prepare(t testing.TB) {
	t.Helper()
	s.Namespace(t, Namespace)
	s.ApplyYAML(t, class)
	// What certgen writes into a cluster; the program asks for both.
	s.secret(t, "envoy", "envoy")
	s.secret(t, "envoy-oidc-hmac", "envoy-oidc-hmac")
}

// secret holds the files of a directory of keys.
func (s *Server) secret(t testing.TB, name, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "keys", dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no keys in %s: %v", dir, err)
	}
	data := map[string]any{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		data[filepath.Base(f)] = base64Of(text)
	}
	s.Apply(t, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"namespace": Namespace, "name": name}, "data": data}})
}

// Namespace makes a namespace, unless it is there.
func (s *Server) Namespace(t testing.TB, name string) {
	t.Helper()
	s.ApplyYAML(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n")
}

// ApplyYAML applies the documents of a text.
func (s *Server) ApplyYAML(t testing.TB, text string) {
	t.Helper()
	for _, document := range strings.Split(text, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		s.Apply(t, o)
	}
}

// prepareFor makes the namespaces that a bundle needs.
func (s *Server) prepareFor(t testing.TB, b manifest.Bundle) {
	t.Helper()
	for _, o := range b.Objects() {
		if ns := o.Ref().Namespace; ns != "" {
			s.Namespace(t, ns)
		}
	}
}

// ApplyBundle applies what was compiled for the cluster. Nothing is sent before
// the API server has let all of it pass as a dry run.
func (s *Server) ApplyBundle(t testing.TB, b manifest.Bundle) {
	t.Helper()
	for _, o := range b.Objects() {
		s.patch(t, o.Unstructured(), metav1.DryRunAll)
	}
	for _, o := range b.Objects() {
		s.Apply(t, o.Unstructured())
	}
}

// Apply is a server-side apply that refuses unknown fields.
func (s *Server) Apply(t testing.TB, o *unstructured.Unstructured) {
	t.Helper()
	s.patch(t, o)
}

func (s *Server) patch(t testing.TB, o *unstructured.Unstructured, dryRun ...string) {
	t.Helper()
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	force := true
	_, err = s.client(t, o).Patch(context.Background(), o.GetName(), types.ApplyPatchType, text,
		metav1.PatchOptions{FieldManager: "test", Force: &force, FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun})
	if err != nil {
		t.Fatalf("apply %s %s/%s: %v\n%s", o.GetKind(), o.GetNamespace(), o.GetName(), err, text)
	}
}

// get reads an object back; the given one only names it.
func (s *Server) get(t testing.TB, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	found, err := s.client(t, o).Get(context.Background(), o.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Delete removes an object, there or not.
func (s *Server) Delete(t testing.TB, o *unstructured.Unstructured) {
	t.Helper()
	err := s.client(t, o).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

// client returns the client of an object's resource and namespace.
func (s *Server) client(t testing.TB, o *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	mapping, err := s.mapper(t).RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
	if err != nil {
		t.Fatal(err)
	}
	resource := s.Cluster.Dynamic(t).Resource(mapping.Resource)
	if o.GetNamespace() == "" {
		return resource
	}
	return resource.Namespace(o.GetNamespace())
}

// mapper finds the resource of a kind.
func (s *Server) mapper(t testing.TB) meta.RESTMapper {
	t.Helper()
	if s.kinds == nil {
		client, err := discovery.NewDiscoveryClientForConfig(s.Cluster.Config)
		if err != nil {
			t.Fatal(err)
		}
		s.kinds = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	}
	return s.kinds
}
