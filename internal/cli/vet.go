// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler"
)

// vetFlags are the flags of vet.
type vetFlags struct {
	sourceFlags
	output format
}

// vetted is the result of vet for machines.
type vetted struct {
	Revision    string            `json:"revision"`
	Diagnostics []diag.Diagnostic `json:"diagnostics"`
}

func vetCommand(s Streams) *cobra.Command {
	f := &vetFlags{}
	c := &cobra.Command{
		Use:   "vet [DIR]",
		Short: "Check the documents of a repository",
		Long: `Vet reads every document of the group fairlead.dev and prints one line per mistake,
with its place and the way out. No cluster is asked. The exit code is 2 when one of
the lines is an error.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.take(c, args); err != nil {
				return err
			}
			return f.run(c.Context(), s)
		},
	}
	f.add(c)
	f.output.add(c)
	return c
}

func (f *vetFlags) run(ctx context.Context, s Streams) error {
	snapshot, err := reconciler.Take(ctx, f.source)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	_, diags := compiler.Compile(snapshot.Files, inventory.Inventory{})
	result := vetted{Revision: snapshot.Revision, Diagnostics: append([]diag.Diagnostic{}, diags...)}
	err = f.output.write(s.Out, result, func() {
		for _, d := range diags {
			fmt.Fprintln(s.Out, d)
		}
	})
	if err != nil {
		return fmt.Errorf("write the diagnostics: %w", err)
	}
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	return nil
}
