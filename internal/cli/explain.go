// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	sourceFlags
	inventory string
	format    format
	needs     bool
}

func explainCommand(s Streams) *cobra.Command {
	f := &explainFlags{}
	c := &cobra.Command{
		Use:   "explain CLUSTER KIND/NAMESPACE/NAME [DIR]",
		Short: "Say which lines of which files made an object",
		Long: `Explain prints every field of an object that Fairlead writes to a cluster and, below
it, the lines that its value follows from. What follows from an observed fact or from
an address that was allotted before is marked so; a field without a line is always
written like that.

It is found by trying: every value of the documents and every fact is changed in turn,
the object is compiled anew, and the difference counts. So it takes as many compiles as
there are values, but the answer is what the compiler really does.

With --needs it also prints what a field would not be there without.`,
		Example: `  fairlead explain cluster1 VirtualService/default/fairlead.reviews policies --inventory inventory.yaml`,
		Args:    cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.take(c, args[2:]); err != nil {
				return err
			}
			return f.run(c.Context(), s, args[0], args[1])
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.inventory, "inventory", "", "file with the facts of the clusters, as fairlead inventory writes it")
	c.Flags().BoolVar(&f.needs, "needs", false, "also print what a field would not be there without")
	f.format.add(c)
	return c
}

func (f *explainFlags) run(ctx context.Context, s Streams, store, object string) error {
	inv, err := readInventory(f.inventory)
	if err != nil {
		return err
	}
	snapshot, err := reconciler.Take(ctx, f.source)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	e, diags, err := compiler.Explain(snapshot.Files, inv, store, object)
	if err != nil {
		return err
	}
	if err := f.tell(s, s.Err, diags); err != nil {
		return err
	}
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	f.place(e.Needs)
	for _, field := range e.Fields {
		f.place(field.From)
		f.place(field.Needs)
	}
	return f.format.write(s.Out, e, func() { f.text(s.Out, e) })
}

// place calls files as people open them.
func (f *explainFlags) place(all []compiler.Cause) {
	for _, c := range all {
		if c.Position != nil {
			c.Position.File = f.source.Shown(c.Position.File)
		}
	}
}

func (f *explainFlags) text(w io.Writer, e compiler.Explanation) {
	fmt.Fprintf(w, "%s in %s, of %s\n", e.Object, e.Store, e.Fragment)
	f.causes(w, "needs", e.Needs)
	for _, field := range e.Fields {
		fmt.Fprintf(w, "%s: %s\n", field.Path, strings.ReplaceAll(field.Value, "\n", `\n`))
		f.causes(w, "", field.From)
		if f.needs {
			f.causes(w, "needs", field.Needs)
		}
	}
}

// causes writes one line for each value that something follows from.
func (f *explainFlags) causes(w io.Writer, word string, all []compiler.Cause) {
	if word != "" {
		word += " "
	}
	for _, c := range all {
		if c.Position == nil {
			fmt.Fprintf(w, "    %sobserved: %s\n", word, c.Path)
			continue
		}
		fmt.Fprintf(w, "    %s%s: %s\n", word, c.Position, c.Path)
	}
}
