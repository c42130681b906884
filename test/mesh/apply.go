// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/internal/apitest"
)

// apply writes a bundle to an API server: first every object and claim as a dry
// run that refuses unknown and repeated fields, then all of them.
func apply(t testing.TB, server apitest.Cluster, b manifest.Bundle) {
	t.Helper()
	disco := must(discovery.NewDiscoveryClientForConfig(server.Config))(t)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	client := server.Dynamic(t)
	var all []*unstructured.Unstructured
	for _, o := range b.Objects() {
		all = append(all, o.Unstructured())
	}
	for _, c := range b.Claims() {
		all = append(all, c.Unstructured())
	}
	for _, dry := range [][]string{{metav1.DryRunAll}, nil} {
		for _, o := range all {
			gvk := o.GroupVersionKind()
			mapping := must(mapper.RESTMapping(gvk.GroupKind(), gvk.Version))(t)
			var to dynamic.ResourceInterface = client.Resource(mapping.Resource)
			if ns := o.GetNamespace(); ns != "" {
				to = client.Resource(mapping.Resource).Namespace(ns)
			}
			text := must(o.MarshalJSON())(t)
			_, err := to.Patch(context.Background(), o.GetName(), types.ApplyPatchType, text,
				metav1.PatchOptions{FieldManager: "fairlead", FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
			if err != nil {
				t.Errorf("%s in %s: %v", reference(o), b.Store, err)
			}
		}
	}
}
