// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler/diag"
)

const smallPolicy = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: reviews, namespace: default}
spec:
  service:
    name: reviews
  rules:
  - backends:
    - {cluster: cluster2, subset: {app.kubernetes.io/version: v3}, weight: 75}
    - cluster: cluster1
      weight: 25
`

// loadPolicy loads one policy, given by its spec.
func loadPolicy(spec string) (Documents, []diag.Diagnostic) {
	head := "apiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: reviews, namespace: default}\nspec:\n"
	return Load(fstest.MapFS{"a.yaml": {Data: []byte(head + spec)}})
}

func TestPlacesOutsideTheDocument(t *testing.T) {
	if got := (Origin{}).At("spec.rules[0]"); got != (diag.Position{}) {
		t.Errorf("an origin that knows nothing places a field at %s", got)
	}
}

func TestFieldsKnowTheirPlaces(t *testing.T) {
	docs, ds := Load(fstest.MapFS{"shop/a.yaml": {Data: []byte("# a comment\n---\n" + smallPolicy)}})
	if len(ds) != 0 || len(docs.Policies) != 1 {
		t.Fatalf("got %d policies and %v", len(docs.Policies), ds)
	}
	p := docs.Policies[0]
	if w := p.Spec.Rules[0].Backends[1].Weight; w == nil || *w != 25 {
		t.Errorf("the second weight reads %v", w)
	}
	at := func(line, column int) diag.Position {
		return diag.Position{File: "shop/a.yaml", Line: line, Column: column}
	}
	for path, want := range map[string]diag.Position{
		"": at(3, 1), "spec": at(6, 1), "spec.service": at(7, 3), "spec.service.name": at(8, 11),
		"spec.rules[0].backends[0]":                                  at(11, 7),
		"spec.rules[0].backends[0].weight":                           at(11, 76),
		"spec.rules[0].backends[0].subset.app.kubernetes.io/version": at(11, 63),
		"spec.rules[0].backends[1].weight":                           at(13, 15),
		"spec.rules[0].backends[1].subset.version":                   at(12, 7),
		"spec.rules[0].retries.attempts":                             at(10, 5),
		"spec.nothing[3].here":                                       at(6, 1),
		"metadata.name":                                              at(5, 18),
	} {
		if got := p.Origin.At(path); got != want {
			t.Errorf("%q is at %s, want %s", path, got, want)
		}
	}
}

// TestLoadConcurrently shares the compiled rules between goroutines, for the
// race detector, and compares what they find.
func TestLoadConcurrently(t *testing.T) {
	results := make(chan string)
	const loads = 8
	for range loads {
		go func() {
			_, ds := loadPolicy("  service: {nam: reviews}\n  exports: {from: {}}\n  rules: [{matches: [{}]}]\n")
			var all strings.Builder
			for _, d := range ds {
				all.WriteString(d.String() + "\n")
			}
			results <- all.String()
		}()
	}
	first := <-results
	for range loads - 1 {
		if other := <-results; other != first || strings.Count(first, "\n") != 4 {
			t.Errorf("two loads of the same files differ:\n%s\n%s", first, other)
		}
	}
}
