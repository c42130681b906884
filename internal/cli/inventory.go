// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler"
)

// inventoryFlags are the flags of inventory.
type inventoryFlags struct {
	sourceFlags
	file   string
	access reconciler.Access
}

func inventoryCommand(s Streams) *cobra.Command {
	f := &inventoryFlags{}
	c := &cobra.Command{
		Use:   "inventory [DIR] [-o FILE]",
		Short: "Write what is known of the clusters to a file",
		Long: `Inventory observes the clusters that the ClusterSet names and writes what the compiler
must know of them, so that a pull request can be compiled without access to any
cluster. It writes YAML, or JSON where the name of the file ends in .json.

A cluster that cannot be reached is in the file with the reason, and the exit code
is 2.`,
		Example: `  fairlead inventory policies -o inventory.yaml`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.take(c, args); err != nil {
				return err
			}
			return f.run(c.Context(), s)
		},
	}
	f.add(c)
	c.Flags().StringVarP(&f.file, "output", "o", "-", `file to write to; "-" is the standard output`)
	addAccess(c, &f.access)
	return c
}

func (f *inventoryFlags) run(ctx context.Context, s Streams) error {
	if f.file == "" {
		return errors.New("say where to write to: -o FILE")
	}
	inv, diags, err := observe(ctx, f.source, f.access)
	if err != nil {
		return err
	}
	if err := f.tell(s, s.Err, diags); err != nil {
		return err
	}
	if diag.HasErrors(diags) {
		return exit(codeError)
	}
	text, err := encode(inv, f.file)
	if err != nil {
		return fmt.Errorf("encode the inventory: %w", err)
	}
	if f.file == "-" {
		_, err = s.Out.Write(text)
	} else {
		err = replace(f.file, text)
	}
	if err != nil {
		return err
	}
	missing := false
	for _, c := range inv.Clusters {
		if c.Unreachable != "" {
			fmt.Fprintf(s.Err, "%s: error: %s\n", c.Name, c.Unreachable)
			missing = true
		}
	}
	if missing {
		return exit(codeError)
	}
	return nil
}

// encode writes an inventory in the format that a file's name asks for.
func encode(inv inventory.Inventory, name string) ([]byte, error) {
	if !strings.HasSuffix(name, ".json") {
		return yaml.Marshal(inv)
	}
	text, err := json.MarshalIndent(inv, "", "  ")
	return append(text, '\n'), err
}
