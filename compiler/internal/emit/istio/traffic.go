// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
)

// Defaults of outlier detection, as the schema documents them.
const (
	defaultFailures = 5
	defaultInterval = v1alpha1.Duration("10s")
	defaultEjection = v1alpha1.Duration("30s")
	defaultMaximum  = 50
)

// gatewayOutlier ejects gateways that take no connections, and nothing else:
// what pods behind them answer says nothing about the gateway. All may be
// ejected, so that the next tier takes over.
func gatewayOutlier() *v1alpha3.OutlierDetection {
	return &v1alpha3.OutlierDetection{
		SplitExternalLocalOriginErrors: true,
		ConsecutiveLocalOriginFailures: wrapperspb.UInt32(defaultFailures),
		Consecutive_5XxErrors:          wrapperspb.UInt32(0),
		ConsecutiveGatewayErrors:       wrapperspb.UInt32(0),
		Interval:                       duration(defaultInterval),
		BaseEjectionTime:               duration(defaultEjection),
		MaxEjectionPercent:             100,
	}
}

// podOutlier is what the policy says about pods. Where gateways stand below
// them and the policy is silent, all may be ejected. MinHealthPercent stays
// unset: istiod would leave out pods that are not ready, and overflow with
// them.
func podOutlier(o *v1alpha1.OutlierDetection, mixed bool) *v1alpha3.OutlierDetection {
	given := v1alpha1.OutlierDetection{}
	if o != nil {
		given = *o
	}
	maximum := int32(defaultMaximum)
	if mixed {
		maximum = 100
	}
	out := &v1alpha3.OutlierDetection{
		Consecutive_5XxErrors: wrapperspb.UInt32(uint32(cmp.Or(given.Consecutive5xx, defaultFailures))),
		Interval:              duration(cmp.Or(given.Interval, defaultInterval)),
		BaseEjectionTime:      duration(cmp.Or(given.BaseEjectionTime, defaultEjection)),
		MaxEjectionPercent:    cmp.Or(given.MaxEjectionPercent, maximum),
	}
	if mixed {
		out.SplitExternalLocalOriginErrors = true
		out.ConsecutiveLocalOriginFailures = wrapperspb.UInt32(defaultFailures)
	}
	return out
}

// pool is how connections are made and kept, and how many; nil where the
// policy says nothing of it.
func pool(r v1alpha1.Resilience) *v1alpha3.ConnectionPoolSettings {
	if r.ConnectionPool == nil && r.CircuitBreaker == nil {
		return nil
	}
	p, b := v1alpha1.ConnectionPool{}, v1alpha1.CircuitBreaker{}
	if r.ConnectionPool != nil {
		p = *r.ConnectionPool
	}
	if r.CircuitBreaker != nil {
		b = *r.CircuitBreaker
	}
	tcp := &v1alpha3.ConnectionPoolSettings_TCPSettings{MaxConnections: b.MaxConnections, ConnectTimeout: duration(p.ConnectTimeout), IdleTimeout: duration(p.IdleTimeout)}
	if k := p.TCPKeepalive; k != nil {
		tcp.TcpKeepalive = &v1alpha3.ConnectionPoolSettings_TCPSettings_TcpKeepalive{Probes: uint32(k.Probes), Time: duration(k.Time), Interval: duration(k.Interval)}
	}
	return &v1alpha3.ConnectionPoolSettings{Tcp: tcp, Http: &v1alpha3.ConnectionPoolSettings_HTTPSettings{
		Http1MaxPendingRequests: b.MaxPendingRequests, Http2MaxRequests: b.MaxParallelRequests, MaxRetries: b.MaxParallelRetries,
		MaxRequestsPerConnection: p.MaxRequestsPerConnection, IdleTimeout: duration(p.IdleTimeout)}}
}

// algorithms in Istio's words.
var algorithms = map[v1alpha1.Algorithm]v1alpha3.LoadBalancerSettings_SimpleLB{
	v1alpha1.RoundRobin:   v1alpha3.LoadBalancerSettings_ROUND_ROBIN,
	v1alpha1.LeastRequest: v1alpha3.LoadBalancerSettings_LEAST_REQUEST,
	v1alpha1.Random:       v1alpha3.LoadBalancerSettings_RANDOM,
}

// balancer is how an endpoint is chosen: by what a caller carries, otherwise by
// the policy's algorithm; nil where nothing is said of it.
func balancer(l v1alpha1.LoadBalancing, a *v1alpha1.SessionAffinity) *v1alpha3.LoadBalancerSettings {
	if a != nil {
		return &v1alpha3.LoadBalancerSettings{LbPolicy: &v1alpha3.LoadBalancerSettings_ConsistentHash{ConsistentHash: hash(a)}}
	}
	if l == (v1alpha1.LoadBalancing{}) {
		return nil
	}
	out := &v1alpha3.LoadBalancerSettings{LbPolicy: &v1alpha3.LoadBalancerSettings_Simple{Simple: algorithms[cmp.Or(l.Algorithm, v1alpha1.LeastRequest)]}}
	if l.SlowStart != "" {
		out.Warmup = &v1alpha3.WarmupConfiguration{Duration: duration(l.SlowStart)}
	}
	return out
}

// hash keeps a caller at one endpoint. A cookie without a lifetime is one of
// the browser's session: without any, Envoy would wait for callers to bring it.
func hash(a *v1alpha1.SessionAffinity) *v1alpha3.LoadBalancerSettings_ConsistentHashLB {
	out := &v1alpha3.LoadBalancerSettings_ConsistentHashLB{}
	switch {
	case a.Cookie != nil:
		ttl := duration(a.Cookie.TTL)
		if ttl == nil {
			ttl = &durationpb.Duration{}
		}
		out.HashKey = &v1alpha3.LoadBalancerSettings_ConsistentHashLB_HttpCookie{HttpCookie: &v1alpha3.LoadBalancerSettings_ConsistentHashLB_HTTPCookie{
			Name: a.Cookie.Name, Path: cmp.Or(a.Cookie.Path, "/"), Ttl: ttl}}
	case a.Header != "":
		out.HashKey = &v1alpha3.LoadBalancerSettings_ConsistentHashLB_HttpHeaderName{HttpHeaderName: a.Header}
	default:
		out.HashKey = &v1alpha3.LoadBalancerSettings_ConsistentHashLB_UseSourceIp{UseSourceIp: true}
	}
	return out
}

// affinityID tells affinities apart; empty where there is none.
func affinityID(a *v1alpha1.SessionAffinity) string {
	switch {
	case a == nil:
		return ""
	case a.Cookie != nil:
		return "cookie " + a.Cookie.Name + " " + string(a.Cookie.TTL) + " " + a.Cookie.Path
	case a.Header != "":
		return "header " + a.Header
	}
	return "source"
}

// podsTLS is how the callers' own pods are talked to where no gateway stands
// below them; nil leaves it to the mesh.
func podsTLS(mode v1alpha1.TLSMode) *v1alpha3.ClientTLSSettings {
	switch mode {
	case v1alpha1.TLSMutual:
		return &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL}
	case v1alpha1.TLSDisable:
		return &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_DISABLE}
	}
	return nil
}

// podsPolicy is what the policy says of the consumer's own pods where no
// gateway stands below them; nil where that is nothing.
func podsPolicy(in *plan.Import, a *v1alpha1.SessionAffinity) *v1alpha3.TrafficPolicy {
	out := &v1alpha3.TrafficPolicy{LoadBalancer: balancer(in.LoadBalancing, a), ConnectionPool: pool(in.Resilience), Tls: podsTLS(in.TLS)}
	if in.Resilience.OutlierDetection != nil {
		out.OutlierDetection = podOutlier(in.Resilience.OutlierDetection, false)
	}
	if out.LoadBalancer == nil && out.ConnectionPool == nil && out.Tls == nil && out.OutlierDetection == nil {
		return nil
	}
	return out
}
