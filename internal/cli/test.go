// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler"
)

// testFlags are the flags of test.
type testFlags struct {
	sourceFlags
	inventory string
	output    diagFormat
	verbose   bool
}

func testCommand(s Streams) *cobra.Command {
	f := &testFlags{}
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Try the traffic tests and the guardrails of a repository",
		Long: `Test tries every TrafficTest against the policies beside it, evaluates the
organisation's own rules in guardrails/*.cue, and prints what is not as expected. No cluster is asked and no request is made: what must be known of the
clusters comes from --inventory, and where that is silent the meaning of the policies
counts. Every dry run of reconcile tries them too.

A case names a caller, a request and what must become of it, possibly with clusters
lost or pods not ready. A load names rates of requests and what clusters can bear; it
is tried with every cluster there and with each single one lost.

The exit code is 2 when something is not as expected.`,
		Example: `  fairlead test policies --inventory inventory.yaml -v`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.take(c, args); err != nil {
				return err
			}
			return f.run(c.Context(), s)
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.inventory, "inventory", "", "file with the facts of the clusters, as fairlead inventory writes it")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "also print what is as expected")
	f.output.add(c)
	return c
}

func (f *testFlags) run(ctx context.Context, s Streams) error {
	inv, err := readInventory(f.inventory)
	if err != nil {
		return err
	}
	snapshot, err := reconciler.Take(ctx, f.source)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	results, diags := compiler.Test(snapshot.Files, inv)
	failed := 0
	for _, r := range results {
		diags = append(diags, r.Failures...)
		if len(r.Failures) > 0 {
			failed++
		} else if f.verbose && f.output.format == formatText {
			fmt.Fprintf(s.Out, "%s: as expected: %s\n", f.source.Shown(r.Position.File), r.Case)
		}
	}
	if !diag.HasErrors(diags) || len(results) > 0 {
		found, err := reconciler.Guardrails(ctx, snapshot.Files, inv)
		if err != nil {
			return err
		}
		diags = append(diags, found...)
	}
	if err := f.writeDiagnostics(s, f.output.format, diags); err != nil {
		return err
	}
	if failed > 0 {
		fmt.Fprintf(s.Err, "%d of %d are not as expected\n", failed, len(results))
	}
	if len(results) == 0 && len(diags) == 0 {
		fmt.Fprintln(s.Err, "there is no TrafficTest here")
	}
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	return nil
}
