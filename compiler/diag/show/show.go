// SPDX-License-Identifier: Apache-2.0

package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// Options say how diagnostics are written.
type Options struct {
	// Colour marks severities and places by the escape sequences of ECMA-48.
	Colour bool
	// Width of a shown line in cells of a terminal. Zero: DefaultWidth.
	Width int
}

// DefaultWidth leaves room for most lines that people write, and is what a log
// viewer in a browser shows without scrolling.
const DefaultWidth = 120

// style is an ECMA-48 rendition.
type style string

const (
	bold   style = "\x1b[1m"
	red    style = "\x1b[1;31m"
	yellow style = "\x1b[1;33m"
	blue   style = "\x1b[34m"
	reset        = "\x1b[0m"
)

// Text writes the diagnostics in their order.
func Text(w io.Writer, ds []diag.Diagnostic, o Options) error {
	if o.Width == 0 {
		o.Width = DefaultWidth
	}
	p := printer{Options: o}
	for _, d := range ds {
		p.diagnostic(d)
		if _, err := io.WriteString(w, p.out.String()); err != nil {
			return err
		}
		p.out.Reset()
	}
	return nil
}

// Summary counts the diagnostics in one line, empty where there are none:
//
//	2 errors, 1 warning in 2 files
func Summary(ds []diag.Diagnostic) string {
	if len(ds) == 0 {
		return ""
	}
	counts, files := map[diag.Severity]int{}, map[string]bool{}
	for _, d := range ds {
		counts[d.Severity]++
		if d.Position.File != "" {
			files[d.Position.File] = true
		}
	}
	var parts []string
	if n := counts[diag.Error]; n > 0 {
		parts = append(parts, plural(n, "error"))
	}
	if n := counts[diag.Warning]; n > 0 {
		parts = append(parts, plural(n, "warning"))
	}
	if len(files) == 0 {
		return strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ") + " in " + plural(len(files), "file")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printer gathers what is written of one diagnostic.
type printer struct {
	Options
	out strings.Builder
	// gutter is the width of the column with line numbers.
	gutter int
}

func (p *printer) diagnostic(d diag.Diagnostic) {
	p.gutter = digits(d.Position.Line)
	for _, r := range d.Related {
		p.gutter = max(p.gutter, digits(r.Position.Line))
	}
	mark := red
	if d.Severity == diag.Warning {
		mark = yellow
	}
	// What was asked for on the command line is in no file.
	if d.Position.File != "" {
		p.write(bold, Visible(d.Position.String())+": ")
	}
	p.write(mark, fmt.Sprintf("%s %s", d.Severity, d.Code))
	p.write("", ": "+Visible(d.Message))
	if d.Fix != "" {
		p.write("", " ("+Visible(d.Fix)+")")
	}
	p.out.WriteByte('\n')
	p.excerpt(d.Excerpt, d.Position, marking{d.EndColumn, '^', mark})
	for _, r := range d.Related {
		p.write("", fmt.Sprintf("  %s: %s\n", Visible(r.Position.String()), Visible(r.Message)))
		p.excerpt(r.Excerpt, r.Position, marking{r.EndColumn, '-', blue})
	}
	if d.Rule != (diag.Position{}) {
		p.write("", fmt.Sprintf("  %s: the rule\n", Visible(d.Rule.String())))
	}
}

// write writes text in a style, where colour is wanted.
func (p *printer) write(s style, text string) {
	if p.Colour && s != "" {
		text = string(s) + text + reset
	}
	p.out.WriteString(text)
}

// marking says what of a line is underlined, and how.
type marking struct {
	// end is the column after the last one; zero: not known.
	end   int
	with  rune
	style style
}

// excerpt writes a line of a file and marks the place below it.
func (p *printer) excerpt(e diag.Excerpt, at diag.Position, m marking) {
	if e == (diag.Excerpt{}) {
		return
	}
	room := max(minRoom, p.Width-p.gutter-len("   | "))
	shown, indent, length := window(e, [2]int{at.Column, m.end}, room)
	p.write(blue, fmt.Sprintf("  %*d | ", p.gutter, at.Line))
	p.write("", strings.TrimRight(shown, " ")+"\n")
	p.write(blue, fmt.Sprintf("  %*s | ", p.gutter, ""))
	p.write(m.style, strings.Repeat(" ", indent)+strings.Repeat(string(m.with), length))
	p.out.WriteByte('\n')
}

// minRoom is the least that is shown of a line, however narrow the terminal.
const minRoom = 20

func digits(n int) int { return len(fmt.Sprint(n)) }
