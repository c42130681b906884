// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler"
)

// vetFlags are the flags of vet.
type vetFlags struct {
	sourceFlags
	output diagFormat
}

func vetCommand(s Streams) *cobra.Command {
	f := &vetFlags{}
	c := &cobra.Command{
		Use:   "vet [DIR]",
		Short: "Check the documents of a repository",
		Long: `Vet reads every document of the group fairlead.dev and prints every mistake at once:
what is wrong, where, and what to write instead, with the line. No cluster is asked.
The exit code is 2 when one of them is an error.

Each mistake has a code. "fairlead codes CODE" tells when it is reported and what to
do, with an example; docs/codes has the same pages. As JSON the mistakes are a list,
see docs/diagnostics.md; as SARIF 2.1.0 they can be shown beside the lines of a change.`,
		Example: `  fairlead vet policies
  fairlead vet --repo . --ref main -o sarif >fairlead.sarif`,
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
	_, diags := compiler.Scope(snapshot.Files)
	if err := f.writeDiagnostics(s, f.output.format, diags); err != nil {
		return err
	}
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	return nil
}
