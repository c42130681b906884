// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// CodeBadRequest is of a traced request that cannot be understood, or that
// names what there is not.
const CodeBadRequest = "FL1601"

// traceCodes are the codes of tracing.
func traceCodes() []diag.Code {
	return []diag.Code{{ID: CodeBadRequest, Title: "request to trace", Doc: "A request that is to be traced cannot be read, or it speaks of a cluster, a caller or a service that there is not. " +
		"Write the caller as cluster/namespace/name, the request as scheme://host:port/path, and health as cluster/service=50%."}}
}

// schemes that can be traced, and their ports.
var schemes = map[string]int32{"http": 80, "https": 443, "grpc": 0, "tls": 443, "tcp": 0, "udp": 0}

// reading gathers what is wrong with a request.
type reading struct {
	*Tracer
	diags []diag.Diagnostic
}

func (r *reading) report(format string, args ...any) {
	r.diags = append(r.diags, diag.Diagnostic{Code: CodeBadRequest, Severity: diag.Error, Message: plain(fmt.Sprintf(format, args...))})
}

// read makes a request and its world of texts.
func (t *Tracer) read(q TraceRequest) (simulate.Request, simulate.World, []diag.Diagnostic) {
	r := &reading{Tracer: t}
	out := simulate.Request{From: r.caller(cmp.Or(q.From, q.Gateway), q.Labels), Method: cmp.Or(q.Method, "GET"), Headers: map[string]string{}}
	switch {
	case q.From != "" && q.Gateway != "":
		r.report("the request comes either from %s or to gateway %s", q.From, q.Gateway)
	case q.Gateway != "":
		out.From = simulate.Caller{Cluster: out.From.Cluster, Namespace: out.From.Namespace, Gateway: r.last(q.Gateway)}
	}
	r.url(q.URL, &out)
	for name, value := range q.Headers {
		out.Headers[strings.ToLower(name)] = value
	}
	w := simulate.World{Complete: t.complete}
	for _, c := range q.Lost {
		r.cluster(c)
		w.Lost = append(w.Lost, c)
	}
	for _, key := range slices.Sorted(maps.Keys(q.Healthy)) {
		w.Health = append(w.Health, r.health(key, q.Healthy[key], out.From.Namespace))
	}
	return out, w, r.diags
}

// cluster reports a cluster that there is not.
func (r *reading) cluster(name string) bool {
	_, ok := r.ground.Sites[name]
	if !ok {
		r.report("there is no cluster %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(r.ground.Sites)), ", "))
	}
	return ok
}

// caller reads cluster/namespace/name. A name of a Service stands for the first
// kind of pods behind it that has the labels, any other for a service account of
// pods that have just these.
func (r *reading) caller(text string, labels map[string]string) simulate.Caller {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || slices.Contains(parts, "") {
		r.report("the caller %q is not cluster/namespace/name", text)
		return simulate.Caller{}
	}
	out := simulate.Caller{Cluster: parts[0], Namespace: parts[1], Account: parts[2], Labels: labels}
	if !r.cluster(out.Cluster) {
		return out
	}
	for _, svc := range r.ground.Sites[out.Cluster].Services {
		if svc.Namespace != parts[1] || svc.Name.Name != parts[2] {
			continue
		}
		if i := slices.IndexFunc(svc.Workloads, func(w inventory.Workload) bool { return hasLabels(w.Labels, labels) }); i >= 0 {
			out.Account, out.Labels = svc.Workloads[i].ServiceAccount, svc.Workloads[i].Labels
		}
	}
	return out
}

// last is the name in cluster/namespace/name.
func (r *reading) last(text string) string { return text[strings.LastIndex(text, "/")+1:] }

// url reads scheme://host:port/path?query.
func (r *reading) url(text string, out *simulate.Request) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		r.report("%q is no URL: write scheme://host:port/path", text)
		return
	}
	port, ok := schemes[u.Scheme]
	if !ok {
		r.report("unknown scheme %q: choose one of %s", u.Scheme, strings.Join(slices.Sorted(maps.Keys(schemes)), ", "))
		return
	}
	if given := u.Port(); given != "" {
		n, err := strconv.ParseUint(given, 10, 16)
		if err != nil || n == 0 {
			r.report("%q is no port", given)
		}
		port = int32(n)
	} else if port == 0 {
		r.report("%q needs a port", text)
	}
	out.Scheme, out.Host, out.Port, out.Path = u.Scheme, u.Hostname(), port, cmp.Or(u.Path, "/")
	out.Query = map[string]string{}
	for name, values := range u.Query() {
		out.Query[name] = values[0]
	}
}

// health reads cluster/[namespace/]service[/labels] and a percentage.
func (r *reading) health(key, percent, namespace string) simulate.Health {
	out := simulate.Health{Namespace: namespace, Ready: new(big.Rat)}
	parts := strings.Split(key, "/")
	if last := parts[len(parts)-1]; strings.Contains(last, "=") {
		out.Labels = map[string]string{}
		for pair := range strings.SplitSeq(last, ",") {
			k, v, _ := strings.Cut(pair, "=")
			out.Labels[k] = v
		}
		parts = parts[:len(parts)-1]
	}
	switch len(parts) {
	case 2:
		out.Cluster, out.Service = parts[0], parts[1]
	case 3:
		out.Cluster, out.Namespace, out.Service = parts[0], parts[1], parts[2]
	default:
		r.report("%q is not cluster/service, cluster/namespace/service, or one of them with /label=value,…", key)
		return out
	}
	r.cluster(out.Cluster)
	digits, found := strings.CutSuffix(percent, "%")
	ready, ok := new(big.Rat).SetString(digits)
	if !found || !ok || strings.Contains(digits, "/") || ready.Sign() < 0 || ready.Cmp(big.NewRat(100, 1)) > 0 {
		r.report("the health %q of %s is no percentage from 0%% to 100%%", percent, key)
		return out
	}
	out.Ready = ready.Quo(ready, big.NewRat(100, 1))
	return out
}
