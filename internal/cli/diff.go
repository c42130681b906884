// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler"
)

// diffFlags are the flags of diff.
type diffFlags struct {
	reconcileFlags
	compiler string
}

func diffCommand(s Streams) *cobra.Command {
	f := &diffFlags{}
	c := &cobra.Command{
		Use:   "diff [DIR] --base REV | --compiler PROGRAM",
		Short: "Compare two revisions, or what two releases of Fairlead make of one",
		Long: `Diff compiles twice and shows what would change in every cluster. No cluster is
asked: what must be known of them comes from --inventory, for both.

With --base it compares with another revision of the same repository. With
--compiler it compiles the same documents with another build of this program, such
as the release that runs now, and shows what this one would change if it took over.

Exit codes: 0 when both write the same, 1 when something differs, and 2 when
something is wrong.`,
		Example: `  fairlead diff policies --base origin/main --inventory inventory.yaml
  fairlead diff policies --compiler ./fairlead-1.4 --inventory inventory.yaml`,
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
	c.Flags().StringVar(&f.base, "base", "", "compare with this revision")
	c.Flags().StringVar(&f.compiler, "compiler", "", "compare with what this program makes of the same documents")
	c.Flags().StringVar(&f.inventory, "inventory", "", "file with the facts of the clusters, as fairlead inventory writes it")
	return c
}

func (f *diffFlags) run(ctx context.Context, s Streams) error {
	if (f.compiler == "") == (f.base == "") {
		return errors.New("say what to compare with: --base REVISION or --compiler PROGRAM")
	}
	inv, err := readInventory(f.inventory)
	if err != nil {
		return err
	}
	report, err := f.compare(ctx, inv)
	if err != nil {
		return err
	}
	if err := f.write(s, report); err != nil {
		return err
	}
	switch {
	case !report.OK():
		return exit(codeError)
	case report.Changes():
		return exit(codeChanges)
	}
	return nil
}

func (f *diffFlags) compare(ctx context.Context, inv inventory.Inventory) (reconciler.Report, error) {
	options := reconciler.Options{Source: f.source}
	if f.base != "" {
		return reconciler.CompareBase(ctx, options, f.base, inv)
	}
	return reconciler.CompareCompiler(ctx, options, f.compiler, inv)
}
