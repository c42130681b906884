// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/diag/sarif"
	"github.com/fairlead/fairlead/compiler/diag/show"
	"github.com/fairlead/fairlead/reconciler"
)

// formatSARIF is for commands whose result is, or has, diagnostics.
const formatSARIF format = "sarif"

// diagFormat is a format that may also be SARIF.
type diagFormat struct{ format }

func (f *diagFormat) add(c *cobra.Command) {
	f.format = formatText
	c.Flags().VarP(f, "output", "o", "how the result is written: text, json, yaml or sarif")
}

// Set implements pflag.Value.
func (f *diagFormat) Set(value string) error {
	if format(value) == formatSARIF {
		f.format = formatSARIF
		return nil
	}
	if f.format.Set(value) != nil {
		return errors.New("choose text, json, yaml or sarif")
	}
	return nil
}

// named returns diagnostics whose files are called as a function of their path
// in the snapshot says. Rules that are part of Fairlead keep their name, and
// what is in no file has none.
func named(ds []diag.Diagnostic, name func(string) string) []diag.Diagnostic {
	out := slices.Clone(ds)
	for i := range out {
		d := &out[i]
		if d.Position.File != "" {
			d.Position.File = name(d.Position.File)
		}
		if d.Rule.File != "" && !d.Rule.BuiltIn() {
			d.Rule.File = name(d.Rule.File)
		}
		d.Related = slices.Clone(d.Related)
		for j := range d.Related {
			d.Related[j].Position.File = name(d.Related[j].Position.File)
		}
	}
	return out
}

// shown returns diagnostics whose files are called as people open them.
func (f *sourceFlags) shown(ds []diag.Diagnostic) []diag.Diagnostic {
	return named(ds, f.source.Shown)
}

// placed calls the files of what is pending and held as people open them.
func (f *sourceFlags) placed(r reconciler.Report) reconciler.Report {
	r.Pending, r.Held = slices.Clone(r.Pending), slices.Clone(r.Held)
	for i := range r.Pending {
		if at := &r.Pending[i].Position; at.File != "" {
			at.File = f.source.Shown(at.File)
		}
	}
	for i := range r.Held {
		if at := &r.Held[i].Position; at.File != "" {
			at.File = f.source.Shown(at.File)
		}
	}
	return r
}

// tell writes diagnostics of the source for people, and to Err how many there
// are. Nothing is written where there are none.
func (f *sourceFlags) tell(s Streams, to io.Writer, ds []diag.Diagnostic) error {
	if len(ds) == 0 {
		return nil
	}
	if err := show.Text(to, f.shown(ds), show.Options{Colour: colourful(to), Width: columns(to)}); err != nil {
		return fmt.Errorf("write the diagnostics: %w", err)
	}
	_, err := fmt.Fprintf(s.Err, "%s (fairlead codes %s tells more)\n", show.Summary(ds), ds[0].Code)
	return err
}

// writeDiagnostics writes diagnostics of the source as the result of a command.
func (f *sourceFlags) writeDiagnostics(s Streams, as format, ds []diag.Diagnostic) error {
	switch as {
	case formatText:
		return f.tell(s, s.Out, ds)
	case formatSARIF:
		options := sarif.Options{Version: thisVersion().Version, Codes: compiler.Codes()}
		return sarif.Write(s.Out, named(ds, f.source.InRepository), options)
	}
	// An empty list is one too.
	return as.write(s.Out, append([]diag.Diagnostic{}, f.shown(ds)...), nil)
}

// terminal tells whether somebody looks at what is written.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// columns returns how wide the terminal is, 0 where it is none or does not say.
func columns(w io.Writer) int {
	if !terminal(w) {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(w.(*os.File).Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// colourful tells whether colours help: on a terminal that knows them, where
// the user did not say no (no-color.org).
func colourful(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
