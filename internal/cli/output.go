// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// format is how a command writes its result.
type format string

// The formats.
const (
	formatText format = "text"
	formatJSON format = "json"
	formatYAML format = "yaml"
)

func (f *format) add(c *cobra.Command) {
	*f = formatText
	c.Flags().VarP(f, "output", "o", "how the result is written: text, json or yaml")
}

// String implements pflag.Value.
func (f *format) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *format) Type() string { return "format" }

// Set implements pflag.Value.
func (f *format) Set(value string) error {
	switch v := format(value); v {
	case formatText, formatJSON, formatYAML:
		*f = v
		return nil
	}
	return fmt.Errorf("choose text, json or yaml")
}

// write encodes a value for machines. text is called instead for people.
func (f format) write(out io.Writer, value any, text func()) error {
	switch f {
	case formatJSON:
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(value)
	case formatYAML:
		encoded, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = out.Write(encoded)
		return err
	}
	text()
	return nil
}

// progress returns what tells people that something goes on: where they asked
// for it, or look at a terminal.
func progress(s Streams, verbose bool) func(string) {
	verbose = verbose || terminal(s.Err)
	if !verbose {
		return nil
	}
	return func(line string) { fmt.Fprintln(s.Err, line) }
}
