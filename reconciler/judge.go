// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"io/fs"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	facts "github.com/fairlead/fairlead/compiler/inventory"
)

// judge returns what the repository's own tests say of a change that compiles.
func judge(files fs.FS, inv facts.Inventory) []diag.Diagnostic {
	results, diags := compiler.Test(files, inv)
	if diag.HasErrors(diags) {
		return nil
	}
	var out []diag.Diagnostic
	for _, r := range results {
		out = append(out, r.Failures...)
	}
	return out
}
