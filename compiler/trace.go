// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
)

// TraceRequest asks what a request gets.
type TraceRequest struct {
	// From is the caller: cluster/namespace/name, where name is a Service whose
	// pods call, or a service account.
	From string `json:"from,omitempty"`
	// Labels that the caller's pod has; of several kinds of pods behind a Service
	// they choose one. Left out: what the Service's pods have.
	Labels map[string]string `json:"labels,omitempty"`
	// Gateway is where a request from outside comes in: cluster/namespace/name.
	// Exactly one of it and From is given.
	Gateway string `json:"gateway,omitempty"`
	// Method of the request, in capitals. Left out: GET.
	Method string `json:"method,omitempty"`
	// URL is scheme://host:port/path?query. The schemes are http, https, grpc,
	// tls, tcp and udp. The host is a name as the caller would write it. Without
	// a port it is 80, and 443 for https and tls; the others need one.
	URL string `json:"url"`
	// Headers of the request by name.
	Headers map[string]string `json:"headers,omitempty"`
	// Lost are clusters in which nothing answers.
	Lost []string `json:"lost,omitempty"`
	// Healthy is the ready part of pods, such as "50%", by cluster/service,
	// cluster/namespace/service, or either with /label=value,… after
	// it. Without a namespace it is the caller's. What is left out is ready.
	Healthy map[string]string `json:"healthy,omitempty"`
}

// TraceVerdict is what becomes of a request.
type TraceVerdict string

// The verdicts.
const (
	// TraceServed: at least a part of such requests reaches a pod.
	TraceServed TraceVerdict = "served"
	// TraceRefused: the caller may not (403).
	TraceRefused TraceVerdict = "refused"
	// TraceNoRoute: nothing answers to the name, or no rule matches (404).
	TraceNoRoute TraceVerdict = "noRoute"
	// TraceUnreachable: nobody is left who could serve it (503).
	TraceUnreachable TraceVerdict = "unreachable"
	// TraceRedirected: the rule sends the caller to another URL.
	TraceRedirected TraceVerdict = "redirected"
	// TraceResponded: the rule itself responds.
	TraceResponded TraceVerdict = "directResponse"
)

// TraceAnswer is what a request gets.
type TraceAnswer struct {
	// TraceOutcome is what the policies mean.
	TraceOutcome
	// Path has the decisions in order.
	Path []TraceStep `json:"path"`
	// Policy that governs the request, as namespace/name; empty where none does.
	Policy string `json:"policy,omitempty"`
	// Results are what the emitted objects give where that is something else:
	// one for each provider that takes part.
	Results []TraceResult `json:"results,omitempty"`
}

// TraceOutcome is a verdict and what belongs to it.
type TraceOutcome struct {
	Verdict TraceVerdict `json:"verdict"`
	// Shares of such requests by who serves them, sorted by cluster, service and
	// subset; none where nobody does.
	Shares []TraceShare `json:"shares,omitempty"`
	// Unserved is the part of such requests that is sent where nobody answers
	// (503), though others are served. Zero is left out.
	Unserved *Fraction `json:"unserved,omitempty"`
	// Status of an answer that no pod gives, such as 404; zero where pods do, and
	// for connections.
	Status int32 `json:"status,omitempty"`
	// Applied is what is done to the request or its answer besides: timeout,
	// retries, rewriteHost, rewritePath, requestHeaders, responseHeaders, mirror,
	// delay, abort, cors, rateLimit, affinity, location (of a redirect) and body
	// (of a response that no pod gives).
	Applied map[string]string `json:"applied,omitempty"`
}

// TraceShare is the part of such requests that some pods serve.
type TraceShare struct {
	Cluster   string            `json:"cluster"`
	Namespace string            `json:"namespace"`
	Service   string            `json:"service"`
	Subset    map[string]string `json:"subset,omitempty"`
	Port      int32             `json:"port"`
	// Part of all such requests, above 0 and at most 1.
	Part Fraction `json:"part"`
	// MutualTLS: caller and pods show each other certificates of their meshes.
	MutualTLS bool `json:"mutualTLS,omitempty"`
	// Identities that the pods have, as SPIFFE ids.
	Identities []string `json:"identities,omitempty"`
}

// Backend is the cluster, and the labels of the subset.
func (s TraceShare) Backend() string {
	return simulate.Share{Cluster: s.Cluster, Subset: s.Subset}.Name()
}

// TraceStep is one decision.
type TraceStep struct {
	// Text says what was decided, in one line.
	Text string `json:"text"`
	// Position of the field that decided; nil where no file did.
	Position *diag.Position `json:"position,omitempty"`
}

// TraceResult is what the objects emitted for one provider make of a request.
type TraceResult struct {
	Provider string `json:"provider"`
	// Degradations that the author of the policy accepted and that make the
	// difference.
	Degradations []string `json:"degradations,omitempty"`
	// Pending is what the caller's cluster still lacks for the policy, and why
	// its fragment is held.
	Pending []string `json:"pending,omitempty"`
	// Unexplained is how the objects differ from what the policies mean after all
	// accepted degradations, while nothing is pending: a mistake of Fairlead's.
	Unexplained string `json:"unexplained,omitempty"`
	TraceOutcome
	// Path has the objects in the order in which they decide.
	Path []TraceStep `json:"path"`
}

// outcome is what an answer looks like outside.
func outcome(a simulate.Answer) TraceOutcome {
	out := TraceOutcome{Verdict: TraceVerdict(a.Verdict), Status: a.Status, Applied: a.Applied}
	for _, s := range a.Shares {
		out.Shares = append(out.Shares, TraceShare{Cluster: s.Cluster, Namespace: s.Namespace, Service: s.Service, Subset: s.Subset,
			Port: s.Port, Part: Fraction{s.Part}, MutualTLS: s.TLS.Mutual, Identities: s.TLS.Identities})
	}
	if a.Verdict == simulate.Served && a.Unserved.Sign() > 0 {
		out.Unserved = &Fraction{a.Unserved}
	}
	return out
}

func steps(all []simulate.Step) []TraceStep {
	out := make([]TraceStep, len(all))
	for i, s := range all {
		out[i].Text = plain(s.Text)
		if s.At != (diag.Position{}) {
			out[i].Position = &s.At
		}
	}
	return out
}
