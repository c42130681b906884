// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// traffic is the content of a BackendTrafficPolicy for one rule.
func (e *emission) traffic(r plan.Rule) content {
	out := content{}
	if e.port().Protocol == v1alpha1.ProtocolUDP {
		return datagrams(r)
	}
	if len(r.Tiers) > 0 {
		in := e.route.Import
		out["healthCheck"] = e.health(r)
		pool(out, in.Resilience.ConnectionPool)
		breaker(out, in.Resilience)
		balance(out, in.LoadBalancing, r.SessionAffinity)
	}
	if e.grpc() && !r.Answers() {
		timeouts(out, "http")["requestTimeout"] = wait(r.Timeout)
	}
	if r.Retries != nil && len(r.Tiers) > 0 {
		out["retry"] = retry(r.Retries)
	}
	if r.Faults != nil {
		out["faultInjection"] = faults(r.Faults)
	}
	if l := r.RateLimit; l != nil {
		limit := content{"requests": int64(l.Requests), "unit": units[l.Per]}
		out["rateLimit"] = content{"local": content{"rules": []any{content{"limit": limit}}}}
	}
	return out
}

// datagrams leaves it to the Service of pods in the gateway's own cluster to
// choose among those that are ready. Envoy would send to all of them while most
// are not, and policies have no panic threshold for UDP.
func datagrams(r plan.Rule) content {
	if slices.ContainsFunc(slices.Concat(r.Tiers...), func(b plan.Backend) bool { return b.Local }) {
		return content{"routingType": "Service"}
	}
	return content{}
}

// units of rate limits.
var units = map[string]string{"second": "Second", "minute": "Minute", "hour": "Hour"}

// Where nothing is said of outlier detection and there is more than one backend,
// only connections that fail count: those that are refused where a cluster is
// gone, and not what a server answers.
const (
	failedConnections = 5
	ejectAll          = 100
)

// health says when an endpoint counts as healthy. Envoy would look at no health
// any more when half of the endpoints are gone, which is what shares are for.
func (e *emission) health(r plan.Rule) content {
	in := e.route.Import
	out := content{"panicThreshold": int64(0)}
	backends := len(slices.Concat(r.Tiers...))
	switch o := in.Resilience.OutlierDetection; {
	case o != nil:
		passive := content{}
		passive["consecutive5XxErrors"] = int64(cmp.Or(o.Consecutive5xx, 5))
		passive["interval"] = duration(cmp.Or(o.Interval, "10s"))
		passive["baseEjectionTime"] = duration(cmp.Or(o.BaseEjectionTime, "30s"))
		passive["maxEjectionPercent"] = int64(cmp.Or(o.MaxEjectionPercent, 50))
		if backends > 1 && slices.ContainsFunc(slices.Concat(r.Tiers...), func(b plan.Backend) bool { return !b.Local }) {
			// Its limit is for pods; a lost cluster is one endpoint here, and its
			// share moves whatever else is lost.
			passive["maxEjectionPercent"] = int64(ejectAll)
		}
		out["passive"] = passive
	case backends > 1:
		out["passive"] = content{"splitExternalLocalOriginErrors": true, "consecutiveLocalOriginFailures": int64(failedConnections),
			"consecutive5XxErrors": int64(0), "maxEjectionPercent": int64(ejectAll)}
	}
	if in.HealthCheck != nil {
		out["active"] = active(in.HealthCheck)
	}
	return out
}

// active asks endpoints whether they are well, with the defaults of the
// policy's own documentation.
func active(h *v1alpha1.HealthCheck) content {
	out := content{"interval": duration(cmp.Or(h.Interval, "10s")), "timeout": duration(cmp.Or(h.Timeout, "1s")),
		"unhealthyThreshold": int64(cmp.Or(h.UnhealthyThreshold, 3)), "healthyThreshold": int64(cmp.Or(h.HealthyThreshold, 1))}
	switch {
	case h.HTTP != nil:
		check := content{"path": h.HTTP.Path}
		put(check, "hostname", string(h.HTTP.Hostname))
		var statuses []any
		for _, s := range h.HTTP.ExpectedStatuses {
			statuses = append(statuses, int64(s))
		}
		putList(check, "expectedStatuses", statuses)
		out["type"], out["http"] = "HTTP", check
	case h.GRPC != nil:
		check := content{}
		put(check, "service", h.GRPC.Service)
		out["type"], out["grpc"] = "GRPC", check
	default:
		out["type"], out["tcp"] = "TCP", content{}
	}
	return out
}

// timeouts returns the timeouts of one protocol.
func timeouts(out content, protocol string) content {
	all, ok := out["timeout"].(content)
	if !ok {
		all = content{}
		out["timeout"] = all
	}
	if _, ok := all[protocol]; !ok {
		all[protocol] = content{}
	}
	return all[protocol].(content)
}

func pool(out content, p *v1alpha1.ConnectionPool) {
	if p == nil {
		return
	}
	if t := duration(p.ConnectTimeout); t != "" {
		timeouts(out, "tcp")["connectTimeout"] = t
	}
	if t := duration(p.IdleTimeout); t != "" {
		timeouts(out, "http")["connectionIdleTimeout"] = t
	}
	if k := p.TCPKeepalive; k != nil {
		keepalive := content{}
		put(keepalive, "idleTime", duration(k.Time))
		put(keepalive, "interval", duration(k.Interval))
		put(keepalive, "probes", int64(k.Probes))
		out["tcpKeepalive"] = keepalive
	}
}

// noLimit is the greatest limit that Envoy knows.
const noLimit = 1<<32 - 1

func breaker(out content, r v1alpha1.Resilience) {
	limits := content{}
	if c := r.CircuitBreaker; c != nil {
		limits["maxConnections"] = cmp.Or(int64(c.MaxConnections), noLimit)
		limits["maxPendingRequests"] = cmp.Or(int64(c.MaxPendingRequests), noLimit)
		limits["maxParallelRequests"] = cmp.Or(int64(c.MaxParallelRequests), noLimit)
		limits["maxParallelRetries"] = cmp.Or(int64(c.MaxParallelRetries), noLimit)
	}
	if p := r.ConnectionPool; p != nil {
		put(limits, "maxRequestsPerConnection", int64(p.MaxRequestsPerConnection))
	}
	if len(limits) > 0 {
		out["circuitBreaker"] = limits
	}
}

// algorithms of load balancing.
var algorithms = map[v1alpha1.Algorithm]string{v1alpha1.RoundRobin: "RoundRobin", v1alpha1.LeastRequest: "LeastRequest", v1alpha1.Random: "Random"}

func balance(out content, l v1alpha1.LoadBalancing, a *v1alpha1.SessionAffinity) {
	if a != nil && a.Cookie == nil {
		hash := content{"type": "SourceIP"}
		if a.Header != "" {
			hash = content{"type": "Headers", "headers": []any{content{"name": a.Header}}}
		}
		out["loadBalancer"] = content{"type": "ConsistentHash", "consistentHash": hash}
		return
	}
	if l.Algorithm == "" && l.SlowStart == "" {
		return
	}
	balancer := content{"type": algorithms[cmp.Or(l.Algorithm, v1alpha1.LeastRequest)]}
	if w := duration(l.SlowStart); w != "" {
		balancer["slowStart"] = content{"window": w}
	}
	out["loadBalancer"] = balancer
}

func retry(r *v1alpha1.Retries) content {
	on := r.On
	if len(on) == 0 {
		on = []v1alpha1.RetryCondition{"connect-failure", "refused-stream"}
	}
	out := content{"numRetries": int64(r.Attempts), "retryOn": content{"triggers": texts(on)}}
	if t := duration(r.PerTryTimeout); t != "" {
		out["perRetry"] = content{"timeout": t}
	}
	return out
}

func faults(f *v1alpha1.Faults) content {
	out := content{}
	if d := f.Delay; d != nil {
		out["delay"] = content{"fixedDelay": duration(d.Duration), "percentage": percent(d.Percent)}
	}
	if a := f.Abort; a != nil {
		abort := content{"percentage": percent(a.Percent)}
		put(abort, "httpStatus", int64(a.Status))
		if code, ok := grpcCodes[a.GRPCStatus]; ok {
			abort["grpcStatus"] = code
		}
		out["abort"] = abort
	}
	return out
}

// grpcCodes are the numbers of gRPC's status codes.
var grpcCodes = map[string]int64{"CANCELLED": 1, "UNKNOWN": 2, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5,
	"ALREADY_EXISTS": 6, "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "ABORTED": 10, "OUT_OF_RANGE": 11,
	"UNIMPLEMENTED": 12, "INTERNAL": 13, "UNAVAILABLE": 14, "DATA_LOSS": 15, "UNAUTHENTICATED": 16}
