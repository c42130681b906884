// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler"
)

// reconcileFlags are the flags of reconcile.
type reconcileFlags struct {
	sourceFlags
	output    diagFormat
	access    reconciler.Access
	base      string
	inventory string
	dryRun    bool
	wait      bool
	timeout   time.Duration
	verbose   bool
}

func reconcileCommand(s Streams) *cobra.Command {
	f := &reconcileFlags{}
	c := &cobra.Command{
		Use:   "reconcile",
		Short: "Make the clusters hold what the repository says",
		Long: `Reconcile fetches the documents, observes the clusters that the ClusterSet names,
compiles, and applies each cluster's bundle to it. It writes only what differs,
removes only what it wrote itself, and leaves alone what somebody else owns.

With --dry-run it writes nothing and shows what it would do: a unified difference
per object and one line per change of traffic. It compares with the clusters as
they are, or with --base with another revision; with --base and --inventory no
cluster is asked.

Where the ClusterSet has a rollout, its stages are served one after the other, with
a pause of "soak" after a stage in which something changed. A stage that is not
complete stops the later ones, which are named; the next run goes on. Nothing is
rolled back in this version, whatever onFailure says: revert the commit.

A cluster that cannot be reached or refuses an object is named, the others are
served, and the exit code is 2; the next run does the rest. What is pending, held
or quarantined is reported and is no failure, except that --wait goes round until
nothing is pending and fails when that takes longer than --timeout.`,
		Example: `  fairlead reconcile --repo https://git.example.com/policies --ref main
  fairlead reconcile --repo . --dry-run
  fairlead reconcile --repo . --dry-run --base origin/main --inventory inventory.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	f.add(c)
	f.output.add(c)
	flags := c.Flags()
	addAccess(c, &f.access)
	flags.BoolVar(&f.dryRun, "dry-run", false, "write nothing and show what would change (exit code 1 when something would)")
	flags.StringVar(&f.base, "base", "", "with --dry-run: compare with this revision instead of the clusters")
	flags.StringVar(&f.inventory, "inventory", "", "with --base: take the facts of the clusters from this file")
	flags.BoolVar(&f.wait, "wait", false, "go round until nothing is pending")
	flags.DurationVar(&f.timeout, "timeout", reconciler.DefaultTimeout, "how long --wait may take")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say what is going on, also where nobody looks at a terminal")
	return c
}

func (f *reconcileFlags) run(ctx context.Context, s Streams) error {
	switch {
	case f.base != "" && !f.dryRun:
		return errors.New("--base compares two revisions: it needs --dry-run")
	case f.inventory != "" && f.base == "":
		return errors.New("--inventory stands in for the clusters: it needs --dry-run and --base")
	case f.wait && f.dryRun:
		return errors.New("--wait goes round until the clusters are complete: it cannot go with --dry-run")
	case f.output.format == formatSARIF && !f.dryRun:
		return errors.New("SARIF is about the files alone: it needs --dry-run")
	case f.timeout <= 0:
		return errors.New("--timeout must be longer than nothing")
	}
	report, err := f.report(ctx, s)
	if err != nil {
		return err
	}
	if err := f.write(s, report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(s.Err, "fairlead: interrupted; what was done is listed, and the next run does the rest")
		return exit(codeError)
	case !report.OK():
		return exit(codeError)
	case f.wait && !report.Settled():
		fmt.Fprintf(s.Err, "fairlead: still pending after %s\n", f.timeout)
		return exit(codeError)
	case f.dryRun && report.Changes():
		return exit(codeChanges)
	}
	return nil
}

// write writes the report, mistakes in the files first.
func (f *reconcileFlags) write(s Streams, report reconciler.Report) error {
	report = f.placed(report)
	switch f.output.format {
	case formatSARIF:
		return f.writeDiagnostics(s, formatSARIF, report.Diagnostics)
	case formatText:
		if err := f.tell(s, s.Err, report.Diagnostics); err != nil || diag.HasErrors(report.Diagnostics) && len(report.Clusters) == 0 {
			return err
		}
		report.Diagnostics = nil
		report.Text(s.Out, s.Err)
		return nil
	}
	report.Diagnostics = f.shown(report.Diagnostics)
	return f.output.write(s.Out, report, nil)
}

// report does what the flags say.
func (f *reconcileFlags) report(ctx context.Context, s Streams) (reconciler.Report, error) {
	options := reconciler.Options{Source: f.source, Kubeconfig: f.access.Kubeconfig, Hub: f.access.Hub, Wait: f.wait, Timeout: f.timeout,
		Progress: progress(s, f.verbose)}
	switch {
	case !f.dryRun:
		return reconciler.Reconcile(ctx, options)
	case f.base == "":
		return reconciler.CompareLive(ctx, options)
	case f.inventory == "":
		inv, diags, err := observe(ctx, f.source, f.access)
		if err != nil || diag.HasErrors(diags) {
			return reconciler.Report{DryRun: true, Diagnostics: diags}, err
		}
		return reconciler.CompareBase(ctx, options, f.base, inv)
	}
	inv, err := readInventory(f.inventory)
	if err != nil {
		return reconciler.Report{}, err
	}
	return reconciler.CompareBase(ctx, options, f.base, inv)
}

// addAccess adds the flags that say how clusters are reached.
func addAccess(c *cobra.Command, a *reconciler.Access) {
	flags := c.Flags()
	flags.StringVar(&a.Kubeconfig, "kubeconfig", "", "kubeconfig with a context per cluster; left out: $KUBECONFIG, then ~/.kube/config")
	flags.StringVar(&a.Hub, "hub", "", "context of the cluster that holds the Secrets of api.secretRef; left out: the current one")
}

// observe collects the inventory of the clusters that a source names.
func observe(ctx context.Context, source reconciler.Source, access reconciler.Access) (inventory.Inventory, []diag.Diagnostic, error) {
	snapshot, err := reconciler.Take(ctx, source)
	if err != nil {
		return inventory.Inventory{}, nil, err
	}
	defer snapshot.Close()
	targets, diags := reconciler.Targets(ctx, snapshot.Files, access)
	if diag.HasErrors(diags) {
		return inventory.Inventory{}, diags, nil
	}
	inv := reconciler.Collect(ctx, targets)
	if ctx.Err() != nil {
		return inv, diags, reconciler.ErrInterrupted
	}
	return inv, diags, nil
}
