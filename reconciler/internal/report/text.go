// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
)

// contextLines surround each change in a difference, as diff -u has it.
const contextLines = 3

// Diff returns the unified difference of one object of a cluster; before or
// after is empty where the object is absent.
func Diff(cluster, object string, before, after []byte) string {
	name := cluster + "/" + object
	from, to := name, name
	if len(before) == 0 {
		from = "/dev/null"
	}
	if len(after) == 0 {
		to = "/dev/null"
	}
	// The only failure is that of the writer, a buffer.
	text, _ := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: lines(before), B: lines(after), FromFile: from, ToFile: to, Context: contextLines,
	})
	return text
}

func lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	all := strings.SplitAfter(string(text), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// Text writes the report for people: to out what changed, to notes everything
// else. Nothing is written where there is nothing to say.
func (r Report) Text(out, notes io.Writer) {
	out, notes = visible{out}, visible{notes}
	for _, d := range r.Diagnostics {
		fmt.Fprintln(notes, d)
	}
	if diag.HasErrors(r.Diagnostics) {
		return
	}
	for _, line := range r.Assumed {
		fmt.Fprintln(notes, "assumed:", line)
	}
	for _, c := range r.Clusters {
		c.text(out, notes, r.DryRun)
	}
	for _, line := range trafficLines(r.Traffic) {
		fmt.Fprintln(out, line)
	}
	if r.DryRun && r.Changes() {
		fmt.Fprintln(out, r.summary())
	}
	r.observed(notes)
}

func (c Cluster) text(out, notes io.Writer, dryRun bool) {
	for _, a := range c.Actions {
		switch {
		case !a.Op.Writes():
			fmt.Fprintf(notes, "%s: %s %s: %s\n", c.Name, a.Op, a.object(), a.Message)
		case dryRun:
			fmt.Fprint(out, a.Diff)
		default:
			fmt.Fprintf(out, "%s: %s %s\n", c.Name, a.Op, a.object())
		}
	}
	if c.Error != "" {
		fmt.Fprintf(notes, "%s: error: %s\n", c.Name, c.Error)
	}
}

// observed writes what the clusters lack and what contradicts.
func (r Report) observed(notes io.Writer) {
	for _, p := range r.Pending {
		fmt.Fprintf(notes, "pending: %s: %s%s: %s\n", p.Store, p.Fragment, inBrackets(p.Position), p.Message)
	}
	for _, h := range r.Held {
		fmt.Fprintf(notes, "held: %s: %s%s: %s\n", h.Store, h.Fragment, inBrackets(h.Position), h.Message)
	}
	for _, q := range r.Quarantined {
		fmt.Fprintf(notes, "quarantined: %s: %s: %s\n", q.Cluster, q.Fact, q.Message)
	}
}

// inBrackets is the place of a document behind its name.
func inBrackets(p diag.Position) string {
	if p.File == "" {
		return ""
	}
	return " (" + p.String() + ")"
}

// summary counts what a dry run would do.
func (r Report) summary() string {
	counts := map[apply.Op]int{}
	clusters := 0
	for _, c := range r.Clusters {
		if c.writes() > 0 {
			clusters++
		}
		for _, a := range c.Actions {
			counts[a.Op]++
		}
	}
	// Of somebody else's object a few fields change.
	changed := counts[apply.Changed] + counts[apply.Claimed] + counts[apply.Released]
	return fmt.Sprintf("%s in %s: %d to create, %d to change, %d to prune; %s",
		plural(counts[apply.Created]+changed+counts[apply.Pruned], "object"), plural(clusters, "cluster"),
		counts[apply.Created], changed, counts[apply.Pruned], plural(len(r.Traffic), "traffic change"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (a Action) object() string {
	if a.Namespace == "" {
		return a.Kind + "/" + a.Name
	}
	return a.Kind + "/" + a.Namespace + "/" + a.Name
}
