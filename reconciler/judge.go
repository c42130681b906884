// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	facts "github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler/internal/guardrails"
)

// GuardrailChild is the argument with which the program is started anew to
// evaluate one guardrail; it then does nothing but EvaluateGuardrail.
const GuardrailChild = guardrails.ChildCommand

// EvaluateGuardrail is what the process does that evaluates one guardrail.
func EvaluateGuardrail(in io.Reader, out io.Writer) error { return guardrails.Child(in, out) }

// Guardrails returns what the repository's own rules, guardrails/*.cue, say of
// documents that compile. Each is evaluated by a process of its own with a limit
// on time and memory.
func Guardrails(ctx context.Context, files fs.FS, inv facts.Inventory) ([]diag.Diagnostic, error) {
	found, err := guardrails.Checker{}.Check(ctx, files, func() (compiler.Judged, bool) {
		judged, diags := compiler.Judge(files, inv)
		return judged, !diag.HasErrors(diags)
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		return nil, fmt.Errorf("evaluate the guardrails: %w", err)
	}
	return found, nil
}

// judge adds what the repository's own tests and rules say of a change that
// compiles.
func judge(ctx context.Context, out *Report, files fs.FS, inv facts.Inventory) error {
	if diag.HasErrors(out.Diagnostics) {
		return nil
	}
	results, _ := compiler.Test(files, inv)
	for _, r := range results {
		out.Diagnostics = append(out.Diagnostics, r.Failures...)
	}
	found, err := Guardrails(ctx, files, inv)
	out.Diagnostics = append(out.Diagnostics, found...)
	return err
}
