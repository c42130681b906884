// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// The codes of traffic tests.
const (
	CodeVerdict   = "FL1501"
	CodeShare     = "FL1502"
	CodeOverload  = "FL1503"
	CodeLoadLost  = "FL1504"
	CodeQuestion  = "FL1505"
	defaultWithin = 1
)

// testCodes describes the codes of traffic tests.
func testCodes() []diag.Code {
	return []diag.Code{
		{ID: CodeVerdict, Title: "another verdict", Doc: "A TrafficTest expects something else of a request than what becomes of it. \"fairlead trace\" with the same request shows why. Correct the policy, or the expectation."},
		{ID: CodeShare, Title: "another share", Doc: "A TrafficTest expects other shares of those who serve a request. \"fairlead trace\" shows how they come about."},
		{ID: CodeOverload, Title: "overload", Doc: "With all clusters there, or with one of them lost, a cluster gets more requests than it can bear. Share the traffic otherwise, or add capacity."},
		{ID: CodeLoadLost, Title: "load that nobody serves", Doc: "With all clusters there, or with one of them lost, some of the requests of a load are not served."},
		{ID: CodeQuestion, Title: "a test that cannot be tried", Doc: "A TrafficTest speaks of a cluster, a caller or a service that there is not, or its request cannot be read."},
	}
}

// TestResult is what became of one case, or of one load.
type TestResult struct {
	// Test is the TrafficTest as namespace/name, Case the name of the case or load.
	Test string `json:"test"`
	Case string `json:"case"`
	// Position of the case.
	Position diag.Position `json:"position"`
	// Failures are what is not as expected; none: all is.
	Failures []diag.Diagnostic `json:"failures"`
}

// Test tries every TrafficTest in files, in the order of their positions. What
// is expected is held against what the emitted objects give, and against what
// the policies mean where objects still lack something. The diagnostics are
// those of Compile; with an error among them nothing was tried.
func Test(files fs.FS, inv inventory.Inventory) ([]TestResult, []diag.Diagnostic) {
	docs, _ := source.Load(files)
	t, diags := NewTracer(files, inv)
	if diag.HasErrors(diags) {
		return nil, diags
	}
	// What the clusters lack so far is pending, and no mistake of the policies.
	t.complete = true
	var out []TestResult
	for _, doc := range docs.Tests {
		for i, c := range doc.Spec.Cases {
			r := &trial{tracer: t, doc: doc, path: fmt.Sprintf("spec.cases[%d]", i)}
			r.tryCase(c)
			out = append(out, r.result(files, c.Name))
		}
		for i, l := range doc.Spec.Loads {
			r := &trial{tracer: t, doc: doc, path: fmt.Sprintf("spec.loads[%d]", i)}
			r.tryLoad(l)
			out = append(out, r.result(files, l.Name))
		}
	}
	return out, diags
}

// trial is one case or load.
type trial struct {
	tracer   *Tracer
	doc      source.Test
	path     string
	failures []diag.Diagnostic
}

func (r *trial) result(files fs.FS, name string) TestResult {
	failures := diag.Sort(slices.Clone(r.failures))
	for i, d := range failures {
		failures[i].Message = plain(d.Message)
	}
	diag.Locate(files, failures)
	return TestResult{Test: strings.TrimPrefix(r.doc.Namespace+"/"+r.doc.Name, "/"), Case: name,
		Position: r.doc.Origin.At(r.path), Failures: append([]diag.Diagnostic{}, failures...)}
}

func (r *trial) fail(code, path, format string, args ...any) {
	r.failures = append(r.failures, diag.Diagnostic{Code: code, Severity: diag.Error, Position: r.doc.Origin.At(r.path + path), Message: fmt.Sprintf(format, args...)})
}

// ask traces a request; false where the question itself is wrong.
func (r *trial) ask(q TraceRequest, at string) (TraceOutcome, bool) {
	answer, wrong := r.tracer.Trace(q)
	for _, d := range wrong {
		r.fail(CodeQuestion, at, "%s", d.Message)
	}
	if len(wrong) > 0 {
		return TraceOutcome{}, false
	}
	if len(answer.Results) > 0 && len(answer.Results[0].Pending) == 0 {
		return answer.Results[0].TraceOutcome, true
	}
	return answer.TraceOutcome, true
}

// question is a request of a test as it is traced.
func question(from v1alpha1.Caller, q v1alpha1.TestRequest) TraceRequest {
	out := TraceRequest{Method: string(q.Method), URL: q.URL, Headers: map[string]string{}}
	if at := from.Cluster + "/" + from.Namespace + "/"; from.Gateway != "" {
		out.Gateway = at + from.Gateway
	} else {
		out.From, out.Labels = at+from.Workload, from.Labels
	}
	for _, h := range q.Headers {
		out.Headers[h.Name] = h.Value
	}
	return out
}

// known reports a cluster that there is not: nothing would ever be found in it.
func (r *trial) known(cluster, at string) bool {
	in := &reading{Tracer: r.tracer}
	ok := in.cluster(cluster)
	for _, d := range in.diags {
		r.fail(CodeQuestion, at, "%s", d.Message)
	}
	return ok
}

func (r *trial) tryCase(c v1alpha1.TrafficCase) {
	for i, s := range c.Expect.Shares {
		if !r.known(s.Cluster, fmt.Sprintf(".expect.shares[%d].cluster", i)) {
			return
		}
	}
	q := question(c.From, c.Request)
	q.Lost, q.Healthy = c.Lost, map[string]string{}
	for _, h := range c.Healthy {
		key := h.Cluster + "/" + cmp.Or(h.Namespace, c.From.Namespace) + "/" + h.Service
		if labels := labelText(h.Subset); labels != "" {
			key += "/" + labels
		}
		q.Healthy[key] = string(h.Percent)
	}
	got, ok := r.ask(q, "")
	if !ok {
		return
	}
	if string(got.Verdict) != c.Expect.Verdict {
		r.fail(CodeVerdict, ".expect.verdict", "case %q: the request is %s, not %s", c.Name, verdictWord(got.Verdict), verdictWord(TraceVerdict(c.Expect.Verdict)))
		return
	}
	if len(c.Expect.Shares) > 0 {
		r.compareShares(c, got.Shares)
	}
}

// verdictWord is a verdict in a sentence.
func verdictWord(v TraceVerdict) string {
	switch v {
	case TraceNoRoute:
		return "matched by no rule"
	case TraceResponded:
		return "answered by the rule itself"
	}
	return string(v)
}

func (r *trial) compareShares(c v1alpha1.TrafficCase, got []TraceShare) {
	within := big.NewRat(defaultWithin, 100)
	if c.Expect.Within != "" {
		within = ratio(c.Expect.Within)
	}
	off := func(part, want *big.Rat) bool {
		d := new(big.Rat).Sub(part, want)
		return d.Abs(d).Cmp(within) > 0
	}
	listed := make([]bool, len(got))
	for i, want := range c.Expect.Shares {
		sum := new(big.Rat)
		for j, s := range got {
			if s.Cluster == want.Cluster && (want.Service == "" || want.Service == s.Service) && hasLabels(s.Subset, want.Subset) {
				listed[j] = true
				sum.Add(sum, s.Part.Rat())
			}
		}
		if off(sum, ratio(want.Percent)) {
			r.fail(CodeShare, fmt.Sprintf(".expect.shares[%d].percent", i), "case %q: %s serves %s of the requests, not %s", c.Name,
				backendText(want.Cluster, want.Subset), Fraction{sum}, want.Percent)
		}
	}
	for j, s := range got {
		if !listed[j] && off(s.Part.Rat(), new(big.Rat)) {
			r.fail(CodeShare, ".expect.shares", "case %q: %s serves %s of the requests, and is not listed", c.Name, backendText(s.Cluster, s.Subset), s.Part)
		}
	}
}

// tryLoad tries a load with every cluster there, and without each single one of
// the sets that somebody calls from.
func (r *trial) tryLoad(l v1alpha1.Load) {
	for i, c := range l.Capacities {
		if !r.known(c.Cluster, fmt.Sprintf(".capacities[%d].cluster", i)) {
			return
		}
	}
	clusters := []string{""}
	for _, s := range r.tracer.fleet.Sets {
		if slices.ContainsFunc(l.Calls, func(c v1alpha1.Calls) bool { return s.Cluster(c.From.Cluster) != nil }) {
			for _, c := range s.Clusters {
				clusters = append(clusters, c.Name)
			}
		}
	}
	for _, lost := range clusters {
		if !r.loadWithout(l, lost) {
			return
		}
	}
}

// loadWithout tries a load with one cluster lost, or none; false where it
// cannot be tried.
func (r *trial) loadWithout(l v1alpha1.Load, lost string) bool {
	when := "with every cluster there"
	if lost != "" {
		when = "with " + lost + " lost"
	}
	loads := make([]*big.Rat, len(l.Capacities))
	for i := range loads {
		loads[i] = new(big.Rat)
	}
	for i, calls := range l.Calls {
		if calls.From.Cluster == lost {
			continue
		}
		q := question(calls.From, l.Request)
		if lost != "" {
			q.Lost = []string{lost}
		}
		at := fmt.Sprintf(".calls[%d]", i)
		got, ok := r.ask(q, at)
		if !ok {
			return false
		}
		if got.Verdict != TraceServed || got.Unserved != nil {
			what := verdictWord(got.Verdict)
			if got.Unserved != nil {
				what = "not served to " + got.Unserved.String()
			}
			r.fail(CodeLoadLost, at, "load %q: %s, the requests of %s (%d a second) are %s", l.Name, when, cmp.Or(q.From, q.Gateway), calls.PerSecond, what)
		}
		for j, c := range l.Capacities {
			for _, s := range got.Shares {
				if s.Cluster == c.Cluster && hasLabels(s.Subset, c.Subset) {
					loads[j].Add(loads[j], new(big.Rat).Mul(s.Part.Rat(), big.NewRat(int64(calls.PerSecond), 1)))
				}
			}
		}
	}
	for j, c := range l.Capacities {
		if loads[j].Cmp(big.NewRat(int64(c.PerSecond), 1)) > 0 {
			r.fail(CodeOverload, fmt.Sprintf(".capacities[%d].perSecond", j), "load %q: %s, %s gets %s requests a second and can bear %d", l.Name, when,
				backendText(c.Cluster, c.Subset), strings.TrimSuffix(loads[j].FloatString(1), ".0"), c.PerSecond)
		}
	}
	return true
}

// ratio is a percentage as a part of one; its form was checked where it was
// read.
func ratio(p v1alpha1.Percent) *big.Rat {
	n, _ := p.Parse()
	return big.NewRat(int64(n), 100)
}

func hasLabels(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func labelText(labels map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, k+"="+labels[k])
	}
	return strings.Join(out, ",")
}

func backendText(cluster string, subset map[string]string) string {
	return TraceShare{Cluster: cluster, Subset: subset}.Backend()
}
