// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler"
)

// traceFlags are the flags of trace.
type traceFlags struct {
	sourceFlags
	output    format
	inventory string
	from      string
	gateway   string
	labels    map[string]string
	headers   []string
	lost      []string
	healthy   []string
}

func traceCommand(s Streams) *cobra.Command {
	f := &traceFlags{}
	c := &cobra.Command{
		Use:   "trace {--from | --gateway} CLUSTER/NAMESPACE/NAME METHOD URL [DIR]",
		Short: "Say what a request gets, and which lines decide it",
		Long: `Trace follows one request through the policies: which line of which file decides
what, who serves which part of such requests, and what is left of it when clusters
are lost or pods are not ready. No cluster is asked; what is known of them comes
from --inventory.

The caller is a Service whose pods call, or a service account; or the request comes
from outside, at a gateway. The URL is
scheme://host:port/path with one of the schemes http, https, grpc, tls, tcp and udp;
the method is left out where there is none. The host is written as the caller would.

Where the provider does less than the policy means, and the policy accepts that, the
parts that its objects give are printed too, with the name of the degradation.

The exit code is 0 when the request is served, redirected or responded to, and 2 when
it is refused or nobody serves it, or when the request or the documents have a
mistake.`,
		Example: `  fairlead trace --from cluster1/default/productpage GET http://reviews:9080/api -H x-canary=1 policies
  fairlead trace --from cluster1/default/productpage GET http://reviews:9080/ --lose cluster2 --healthy cluster1/reviews=50% policies
  fairlead trace --gateway cluster1/default/eg GET http://www.example.com/get policies
  fairlead trace --from managed-cluster/guestbook/frontend tcp://redis-leader.guestbook.svc.clusterset.local:6379 policies`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(c *cobra.Command, args []string) error {
			q, rest, err := f.request(args)
			if err != nil {
				return err
			}
			if err := f.take(c, rest); err != nil {
				return err
			}
			return f.run(c.Context(), s, q)
		},
	}
	f.add(c)
	f.output.add(c)
	flags := c.Flags()
	flags.StringVar(&f.inventory, "inventory", "", "file with the facts of the clusters, as fairlead inventory writes it")
	flags.StringVar(&f.from, "from", "", "the caller: cluster/namespace/name of a Service whose pods call, or of a service account")
	flags.StringVar(&f.gateway, "gateway", "", "the gateway where the request comes in: cluster/namespace/name")
	flags.StringToStringVarP(&f.labels, "labels", "l", nil, "labels of the caller's pod, as name=value,…; left out: those of the Service's pods")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "header of the request, as name=value; may be repeated")
	flags.StringSliceVar(&f.lost, "lose", nil, "cluster in which nothing answers; may be repeated")
	flags.StringArrayVar(&f.healthy, "healthy", nil, "part of the pods that is ready, as cluster/service=50%, cluster/namespace/service=50% or cluster/service/label=value=50%; may be repeated")
	return c
}

// request takes the method, where there is one, and the URL from the arguments.
func (f *traceFlags) request(args []string) (compiler.TraceRequest, []string, error) {
	q := compiler.TraceRequest{From: f.from, Gateway: f.gateway, Labels: f.labels, Lost: f.lost, Headers: map[string]string{}, Healthy: map[string]string{}}
	if (f.from == "") == (f.gateway == "") {
		return q, nil, errors.New("say who calls, by either --from CLUSTER/NAMESPACE/NAME or --gateway CLUSTER/NAMESPACE/NAME")
	}
	if f.gateway != "" && len(f.labels) > 0 {
		return q, nil, errors.New("--labels are of the pod that calls: they need --from")
	}
	if !strings.Contains(args[0], "://") {
		q.Method, args = args[0], args[1:]
	}
	if len(args) == 0 || !strings.Contains(args[0], "://") {
		return q, nil, errors.New("say what is called: METHOD scheme://host:port/path")
	}
	q.URL = args[0]
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return q, nil, fmt.Errorf("header %q: write name=value", h)
		}
		q.Headers[name] = value
	}
	for _, h := range f.healthy {
		i := strings.LastIndex(h, "=")
		if i < 0 {
			return q, nil, fmt.Errorf("health %q: write cluster/service=50%%", h)
		}
		q.Healthy[h[:i]] = h[i+1:]
	}
	return q, args[1:], nil
}

func (f *traceFlags) run(ctx context.Context, s Streams, q compiler.TraceRequest) error {
	inv, err := readInventory(f.inventory)
	if err != nil {
		return err
	}
	snapshot, err := reconciler.Take(ctx, f.source)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	answer, diags := compiler.Trace(snapshot.Files, inv, q)
	if diag.HasErrors(diags) {
		if err := f.tell(s, s.Err, diags); err != nil {
			return err
		}
		return exit(codeError)
	}
	if err := f.output.write(s.Out, answer, func() { printTrace(s.Out, answer) }); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	switch answer.Verdict {
	case compiler.TraceServed, compiler.TraceRedirected, compiler.TraceResponded:
		return nil
	}
	return exit(codeError)
}

// printTrace writes an answer for people: the decisions, then who serves.
func printTrace(out io.Writer, a compiler.TraceAnswer) {
	for _, step := range a.Path {
		if step.Position != nil {
			fmt.Fprintf(out, "%s: ", step.Position)
		}
		fmt.Fprintln(out, step.Text)
	}
	printOutcome(out, a.TraceOutcome)
	for _, r := range a.Results {
		printResult(out, r)
	}
}

// printResult writes what the objects give that is not what is meant.
func printResult(out io.Writer, r compiler.TraceResult) {
	why := "which no accepted degradation explains"
	if len(r.Degradations) > 0 {
		why = "accepted: " + strings.Join(r.Degradations, ", ")
	} else if len(r.Pending) > 0 {
		why = "pending"
	}
	fmt.Fprintf(out, "the objects for provider %s give something else (%s):\n", r.Provider, why)
	for _, p := range r.Pending {
		fmt.Fprintf(out, "pending: %s\n", p)
	}
	for _, step := range r.Path {
		fmt.Fprintln(out, step.Text)
	}
	printOutcome(out, r.TraceOutcome)
}

// printOutcome writes who serves which part.
func printOutcome(out io.Writer, o compiler.TraceOutcome) {
	fmt.Fprint(out, o.Verdict)
	if o.Status != 0 {
		fmt.Fprintf(out, " (status %d)", o.Status)
	}
	fmt.Fprintln(out)
	for _, what := range slices.Sorted(maps.Keys(o.Applied)) {
		fmt.Fprintf(out, "%8s  %s: %s\n", "", what, o.Applied[what])
	}
	for _, s := range o.Shares {
		fmt.Fprintf(out, "%8s  %s", s.Part, s.Backend())
		switch {
		case s.MutualTLS && len(s.Identities) > 0:
			fmt.Fprintf(out, " (mutual TLS with %s)", strings.Join(s.Identities, ", "))
		case s.MutualTLS:
			// Nobody has seen the pods yet.
			fmt.Fprint(out, " (mutual TLS)")
		}
		fmt.Fprintln(out)
	}
	if o.Unserved != nil {
		fmt.Fprintf(out, "%8s  nobody\n", o.Unserved)
	}
}
