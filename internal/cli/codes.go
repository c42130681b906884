// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/docs"
)

// code is what is known of a code, for machines.
type code struct {
	Code     string        `json:"code"`
	Severity diag.Severity `json:"severity"`
	Title    string        `json:"title"`
	// Doc says when it is reported and what to do.
	Doc string `json:"doc"`
	// Page is the path of its page in the repository of Fairlead.
	Page string `json:"page"`
	// Text of the page, in Markdown; only where one code was asked for.
	Text string `json:"text,omitempty"`
}

func codesCommand(s Streams) *cobra.Command {
	var output format
	c := &cobra.Command{
		Use:   "codes [CODE | DEGRADATION]",
		Short: "Explain the codes of mistakes",
		Long: `Codes lists what Fairlead can find wrong with the files, or tells of one code when it
is reported and what to do, with an example from the tests. No network is needed; the
same pages are in docs/codes. By the name of a degradation, as a policy accepts it, it
tells exactly what differs.`,
		Example: `  fairlead codes FL1204
  fairlead codes gatewayHealth
  fairlead codes -o json`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, c := range compiler.Codes() {
				ids = append(ids, c.ID+"\t"+c.Title)
			}
			for _, d := range compiler.Degradations() {
				ids = append(ids, d.Name+"\tdegradation")
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listCodes(s, output)
			}
			if d, ok := degradationOf(args[0]); ok {
				return output.write(s.Out, d, func() { d.print(s.Out) })
			}
			return explainCode(s, output, args[0])
		},
	}
	output.add(c)
	return c
}

func newCode(c diag.Code) code {
	return code{Code: c.ID, Severity: c.Level(), Title: c.Title, Doc: c.Doc, Page: c.Page()}
}

func listCodes(s Streams, output format) error {
	var all []code
	for _, c := range compiler.Codes() {
		all = append(all, newCode(c))
	}
	var err error
	written := output.write(s.Out, all, func() {
		table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		for _, c := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\n", c.Code, c.Severity, c.Title)
		}
		err = table.Flush()
	})
	if written != nil {
		return written
	}
	return err
}

// explainCode tells of one code. Its letters may be in lower case, or left out.
func explainCode(s Streams, output format, id string) error {
	wanted := "FL" + strings.TrimPrefix(strings.ToUpper(id), "FL")
	for _, c := range compiler.Codes() {
		if c.ID != wanted {
			continue
		}
		one := newCode(c)
		one.Text, _ = docs.Page(c.ID)
		if _, rest, ok := strings.Cut(one.Text, "-->\n\n"); ok {
			one.Text = rest
		}
		return output.write(s.Out, one, func() { fmt.Fprint(s.Out, one.Text) })
	}
	return fmt.Errorf("there is no code %q; fairlead codes lists them", id)
}

// degradation is what is known of one by its name, for machines.
type degradation struct {
	Name string `json:"degradation"`
	// Providers that have it, and the codes that ask for its acceptance.
	Providers []string `json:"providers"`
	Codes     []string `json:"codes"`
	// Text says exactly what differs.
	Text string `json:"text"`
}

func degradationOf(name string) (degradation, bool) {
	var out degradation
	for _, d := range compiler.Degradations() {
		if strings.EqualFold(d.Name, name) {
			out.Name, out.Text = d.Name, d.Text
		}
	}
	for _, f := range compiler.Features() {
		for _, p := range f.Support {
			if out.Name == "" || p.Degradation != out.Name {
				continue
			}
			if !slices.Contains(out.Providers, p.Provider) {
				out.Providers = append(out.Providers, p.Provider)
			}
			if !slices.Contains(out.Codes, f.Code) {
				out.Codes = append(out.Codes, f.Code)
			}
		}
	}
	return out, out.Name != ""
}

func (d degradation) print(w io.Writer) {
	fmt.Fprintf(w, "# %s\n\n%s\n\n", d.Name, d.Text)
	fmt.Fprintf(w, "A policy that asks for it is refused with %s until it accepts it:\n\n", strings.Join(d.Codes, " or "))
	fmt.Fprint(w, "```yaml\nspec:\n  acceptDegradations:\n")
	for _, p := range d.Providers {
		fmt.Fprintf(w, "  - {name: %s, provider: %s}\n", d.Name, p)
	}
	fmt.Fprint(w, "```\n")
}
