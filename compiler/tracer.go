// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"io/fs"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// Trace says what a request gets by the documents in files and by what was
// observed. A mistake in the documents or in the request is among the
// diagnostics; with an error the answer is empty.
func Trace(files fs.FS, inv inventory.Inventory, q TraceRequest) (TraceAnswer, []diag.Diagnostic) {
	t, diags := NewTracer(files, inv)
	if diag.HasErrors(diags) {
		return TraceAnswer{}, diags
	}
	answer, more := t.Trace(q)
	return answer, diag.Sort(append(diags, more...))
}

// Tracer answers any number of requests to the same documents. It must not be
// used by several goroutines at once.
type Tracer struct {
	fleet  *fleet.Fleet
	ground simulate.Ground
	result Result
	// interpreters by provider, made when they are needed.
	interpreters map[string]interpreter
	// complete: what is yet to come to the clusters counts as there.
	complete bool
}

// interpreter computes an answer from emitted objects.
type interpreter interface {
	Answer(simulate.World, simulate.Request) simulate.Answer
}

// NewTracer compiles the documents. With an error among the diagnostics it
// cannot be used.
func NewTracer(files fs.FS, inv inventory.Inventory) (*Tracer, []diag.Diagnostic) {
	result, diags := Compile(files, inv)
	if diag.HasErrors(diags) {
		return nil, diags
	}
	docs, _ := source.Load(files)
	f, _ := fleet.Build(docs, inv)
	return &Tracer{fleet: f, ground: simulate.GroundOf(f), result: result, interpreters: map[string]interpreter{}}, diags
}

// Trace says what one request gets. With an error among the diagnostics, which
// are about the request alone, the answer is empty.
func (t *Tracer) Trace(q TraceRequest) (TraceAnswer, []diag.Diagnostic) {
	request, world, diags := t.read(q)
	if len(diags) > 0 {
		return TraceAnswer{}, diags
	}
	meaning := simulate.Mean(t.fleet, world, request)
	answer := meaning.Answer()
	out := TraceAnswer{TraceOutcome: outcome(answer), Path: steps(answer.Steps)}
	if p := meaning.Policy; p != nil {
		out.Policy = p.Namespace + "/" + p.Name
		out.Results = t.compare(meaning, world, request)
	}
	return out, nil
}

// compare computes what the provider's objects give; nothing where they give
// what is meant.
func (t *Tracer) compare(m simulate.Meaning, w simulate.World, r simulate.Request) []TraceResult {
	provider := m.Provider()
	in := t.interpret(provider)
	if in == nil {
		return nil
	}
	meant, got := m.For(provider), in.Answer(w, r)
	if simulate.Differ(meant.Answer(), got) == "" {
		return nil
	}
	out := TraceResult{Provider: provider, Degradations: meant.Differing(), TraceOutcome: outcome(got), Path: steps(got.Steps)}
	id := manifest.FragmentID("TrafficPolicy/" + m.Policy.Namespace + "/" + m.Policy.Name)
	for _, p := range t.result.Pending {
		if p.Fragment == id && p.Store == m.Caller.Name {
			out.Pending = append(out.Pending, p.Message)
		}
	}
	for _, h := range t.result.Held {
		if h.Fragment == id && h.Store == m.Caller.Name {
			out.Pending = append(out.Pending, h.Message)
		}
	}
	if len(out.Pending) == 0 {
		out.Unexplained = simulate.Differ(meant.Degrade(meant.Accepted()).Answer(), got)
	}
	return []TraceResult{out}
}

// interpret returns what reads the objects of a provider; nil where nothing
// does.
func (t *Tracer) interpret(provider string) interpreter {
	if in := t.interpreters[provider]; in != nil {
		return in
	}
	switch provider {
	case "istio":
		t.interpreters[provider] = simulate.NewIstio(t.ground, t.result.Bundles)
	case "fairlead":
		t.interpreters[provider] = simulate.NewL4(t.ground, t.result.Bundles)
	case "cilium":
		t.interpreters[provider] = simulate.NewCilium(t.ground, t.result.Bundles)
	case "envoy-gateway":
		t.interpreters[provider] = simulate.NewEnvoyGateway(t.ground, t.result.Bundles)
	default:
		return nil
	}
	return t.interpreters[provider]
}
