// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// FuzzCompile looks for documents that make the compiler panic, or that it
// neither refuses nor compiles, or tests of traffic that cannot be tried. The
// seeds are the documents of the stories.
func FuzzCompile(f *testing.F) {
	for _, name := range storyFiles(f) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasPrefix(file.Name, "policies/") {
				f.Add(file.Data)
			}
		}
	}
	set := []byte("apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: prod}\n" +
		"spec: {clusters: [{name: c1, gateways: [{name: g, node: n}]}, {name: c2, gateways: [{name: g, node: n}]}]}\n")
	f.Fuzz(func(t *testing.T, text []byte) {
		files := fstest.MapFS{"set.yaml": {Data: set}, "fuzzed.yaml": {Data: text}}
		result, diags := compiler.Compile(files, inventory.Inventory{})
		if empty := len(result.Bundles) == 0; empty != diag.HasErrors(diags) {
			t.Errorf("%d bundles with %v", len(result.Bundles), diags)
		}
		tests, again := compiler.Test(files, inventory.Inventory{})
		if diag.HasErrors(diags) != diag.HasErrors(again) {
			t.Errorf("tried with %v, compiled with %v", again, diags)
		}
		for _, r := range tests {
			for _, d := range r.Failures {
				checkLine(t, d.String())
			}
		}
	})
}
