// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler"
)

// compileFlags are the flags of compile.
type compileFlags struct {
	sourceFlags
	directory   string
	inventory   string
	diagnostics diagFormat
}

func compileCommand(s Streams) *cobra.Command {
	f := &compileFlags{}
	c := &cobra.Command{
		Use:   "compile [DIR] -o DIRECTORY",
		Short: "Write each cluster's configuration to a directory",
		Long: `Compile writes one file CLUSTER.yaml per cluster, with every object that the cluster
shall hold, and removes the files of an earlier compile that are not wanted any
more. It prints one line per file that changes. No cluster is asked: what must be
known of them comes from --inventory, and what is not known is pending.

The directory must be empty or written by an earlier compile.

With --diagnostics json, yaml or sarif the mistakes in the files go to the standard
output in that form, and the lines to the standard error.`,
		Example: `  fairlead compile policies -o rendered --inventory inventory.yaml`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.take(c, args); err != nil {
				return err
			}
			return f.run(c.Context(), s)
		},
	}
	f.add(c)
	c.Flags().StringVarP(&f.directory, "output", "o", "", "directory to write to")
	c.Flags().StringVar(&f.inventory, "inventory", "", "file with the facts of the clusters, as fairlead inventory writes it")
	f.diagnostics.format = formatText
	c.Flags().Var(&f.diagnostics, "diagnostics", "how mistakes in the files are written: text, json, yaml or sarif")
	return c
}

func (f *compileFlags) run(ctx context.Context, s Streams) error {
	if f.directory == "" {
		return errors.New("say where to write to: -o DIRECTORY")
	}
	inv, err := readInventory(f.inventory)
	if err != nil {
		return err
	}
	snapshot, err := reconciler.Take(ctx, f.source)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	result, diags := compiler.Compile(snapshot.Files, inv)
	if f.diagnostics.format == formatText {
		err = f.tell(s, s.Err, diags)
	} else {
		err = f.writeDiagnostics(s, f.diagnostics.format, diags)
		s.Out = s.Err
	}
	if err != nil {
		return err
	}
	notes := f.placed(reconciler.Report{Pending: result.Pending, Held: result.Held, Quarantined: result.Quarantined})
	notes.Text(s.Out, s.Err)
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	files := map[string][]byte{}
	for _, b := range result.Bundles {
		files[b.Store+".yaml"] = b.YAML()
	}
	changes, err := writeDirectory(f.directory, files)
	for _, line := range changes {
		fmt.Fprintln(s.Out, line)
	}
	return err
}
