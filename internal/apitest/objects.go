// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// CreateAll creates the documents of a YAML text as the administrator. What is
// there already stays as it is.
func (c Cluster) CreateAll(t testing.TB, text string) {
	t.Helper()
	disco, err := discovery.NewDiscoveryClientForConfig(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	for _, document := range strings.Split(text, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
		if err != nil {
			t.Fatal(err)
		}
		client := c.Dynamic(t).Resource(mapping.Resource)
		if _, err := client.Namespace(o.GetNamespace()).Create(context.Background(), o, metaCreate); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatalf("create %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// Deployed creates what a file of deploy/ holds.
func (c Cluster) Deployed(t testing.TB, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sourceRoot(), "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	c.CreateAll(t, string(text))
}

// Account returns the configuration of a ServiceAccount, with a token of its.
func (c Cluster) Account(t testing.TB, namespace, name string) *rest.Config {
	t.Helper()
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"metadata": map[string]any{"name": name, "namespace": namespace},
	}}
	accounts := schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	answer, err := c.Dynamic(t).Resource(accounts).Namespace(namespace).
		Create(context.Background(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := unstructured.NestedString(answer.Object, "status", "token")
	if err != nil || token == "" {
		t.Fatalf("no token for %s: %v", name, err)
	}
	config := rest.AnonymousClientConfig(c.Config)
	config.BearerToken = token
	return config
}

// Versions returns the resource version of every object of the given resources
// in the cluster, by resource, namespace and name.
func (c Cluster) Versions(t testing.TB, resources ...schema.GroupVersionResource) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, r := range resources {
		list, err := c.Dynamic(t).Resource(r).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			versions[r.Resource+"/"+o.GetNamespace()+"/"+o.GetName()] = o.GetResourceVersion()
		}
	}
	return versions
}
