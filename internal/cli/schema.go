// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/schemas"
)

func schemaCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON Schema for editors",
		Long: `Schema prints the JSON Schema (draft 7) of one kind of document, or of every kind
that people write. An editor that has it completes fields and values, shows what each
means and underlines what does not fit; docs/editor.md tells how.`,
		Example: `  fairlead schema >.fairlead.schema.json
  fairlead schema TrafficPolicy`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			kinds, err := schemas.Kinds()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return kinds, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return printSchema(s, strings.Join(args, "")) },
	}
}

// printSchema prints the schema of a kind, of all kinds where it is empty.
func printSchema(s Streams, kind string) error {
	kinds, err := schemas.Kinds()
	if err != nil {
		return fmt.Errorf("list the kinds: %w", err)
	}
	if kind != "" && !slices.ContainsFunc(kinds, func(k string) bool { return strings.EqualFold(k, kind) }) {
		return fmt.Errorf("nobody writes documents of kind %q; there are %s", kind, strings.Join(kinds, ", "))
	}
	text, err := schemas.Editor(kind)
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	_, err = s.Out.Write(text)
	return err
}
