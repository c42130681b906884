// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Resilience says how failing endpoints are noticed and how much is sent to
// endpoints.
type Resilience struct {
	// OutlierDetection ejects endpoints that fail. Left out: that of the
	// ClusterSet's defaults, otherwise the provider's own where a failover needs
	// one, otherwise none.
	// +optional
	OutlierDetection *OutlierDetection `json:"outlierDetection,omitempty"`
	// ConnectionPool says how connections are made and kept.
	// +optional
	ConnectionPool *ConnectionPool `json:"connectionPool,omitempty"`
	// CircuitBreaker refuses at once what would only queue.
	// +optional
	CircuitBreaker *CircuitBreaker `json:"circuitBreaker,omitempty"`
}

// OutlierDetection ejects an endpoint for a while after failures in a row.
type OutlierDetection struct {
	// Consecutive5xx responses that eject an endpoint. Left out: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Consecutive5xx int32 `json:"consecutive5xx,omitempty"`
	// Interval between two looks. Left out: 10s.
	// +optional
	Interval Duration `json:"interval,omitempty"`
	// BaseEjectionTime is multiplied by the number of ejections. Left out: 30s.
	// +optional
	BaseEjectionTime Duration `json:"baseEjectionTime,omitempty"`
	// MaxEjectionPercent of the endpoints that may be ejected at once, 1 to
	// 100. Left out: 50, and 100 for pods of a mesh below which other clusters
	// stand.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxEjectionPercent int32 `json:"maxEjectionPercent,omitempty"`
}

// ConnectionPool says how the connections of one proxy to the endpoints of one
// backend are made and kept.
type ConnectionPool struct {
	// ConnectTimeout of a new connection. Left out: 10s.
	// +optional
	ConnectTimeout Duration `json:"connectTimeout,omitempty"`
	// IdleTimeout after which a connection without requests is closed. Left
	// out: 1h.
	// +optional
	IdleTimeout Duration `json:"idleTimeout,omitempty"`
	// MaxRequestsPerConnection after which a connection is closed. Left out: no
	// limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxRequestsPerConnection int32 `json:"maxRequestsPerConnection,omitempty"`
	// TCPKeepalive finds connections whose other end is gone. Left out: the
	// provider's own.
	// +optional
	TCPKeepalive *TCPKeepalive `json:"tcpKeepalive,omitempty"`
}

// TCPKeepalive are the kernel's keepalive options (tcp(7)).
type TCPKeepalive struct {
	// Time of silence before the first probe. Left out: the kernel's, 2h.
	// +optional
	Time Duration `json:"time,omitempty"`
	// Interval between two probes. Left out: the kernel's, 75s.
	// +optional
	Interval Duration `json:"interval,omitempty"`
	// Probes without an answer after which the connection is given up. Left
	// out: the kernel's, 9.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Probes int32 `json:"probes,omitempty"`
}

// CircuitBreaker limits what one proxy sends to one backend at a time; what is
// above is refused with status 503.
type CircuitBreaker struct {
	// MaxConnections that are open. Left out: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxConnections int32 `json:"maxConnections,omitempty"`
	// MaxPendingRequests that wait for a connection. Left out: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxPendingRequests int32 `json:"maxPendingRequests,omitempty"`
	// MaxParallelRequests that are under way. Left out: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxParallelRequests int32 `json:"maxParallelRequests,omitempty"`
	// MaxParallelRetries that are under way. Left out: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxParallelRetries int32 `json:"maxParallelRetries,omitempty"`
}

// LoadBalancing says how one endpoint is chosen among those of a backend.
type LoadBalancing struct {
	// Algorithm of the choice. Left out: the provider's own, which is
	// leastRequest with proxies.
	// +optional
	Algorithm Algorithm `json:"algorithm,omitempty"`
	// SlowStart: a new endpoint gets its full part only after this while. Only
	// with roundRobin and leastRequest. Left out: at once.
	// +optional
	SlowStart Duration `json:"slowStart,omitempty"`
}

// Algorithm chooses an endpoint.
//
// +kubebuilder:validation:Enum=roundRobin;leastRequest;random
type Algorithm string

// The algorithms.
const (
	RoundRobin   Algorithm = "roundRobin"
	LeastRequest Algorithm = "leastRequest"
	Random       Algorithm = "random"
)

// HealthCheck asks endpoints whether they are well. At most one of http, grpc
// and tcp is set; none is tcp.
type HealthCheck struct {
	// HTTP asks for a path.
	// +optional
	HTTP *HTTPHealthCheck `json:"http,omitempty"`
	// GRPC asks by the gRPC health checking protocol.
	// +optional
	GRPC *GRPCHealthCheck `json:"grpc,omitempty"`
	// TCP opens a connection.
	// +optional
	TCP *TCPHealthCheck `json:"tcp,omitempty"`
	// Interval between two checks. Left out: 10s.
	// +optional
	Interval Duration `json:"interval,omitempty"`
	// Timeout of one check. Left out: 1s.
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
	// UnhealthyThreshold of checks in a row that fail. Left out: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	UnhealthyThreshold int32 `json:"unhealthyThreshold,omitempty"`
	// HealthyThreshold of checks in a row that pass. Left out: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	HealthyThreshold int32 `json:"healthyThreshold,omitempty"`
}

// HTTPHealthCheck asks for a path.
type HTTPHealthCheck struct {
	// Path that is asked for, beginning with a slash.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path"`
	// Hostname that is asked for. Left out: the provider's own.
	// +optional
	Hostname Hostname `json:"hostname,omitempty"`
	// ExpectedStatuses, each 100 to 599. Left out: 200.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	ExpectedStatuses []HTTPStatus `json:"expectedStatuses,omitempty"`
}

// HTTPStatus is a status code (RFC 9110).
//
// +kubebuilder:validation:Minimum=100
// +kubebuilder:validation:Maximum=599
type HTTPStatus int32

// GRPCHealthCheck asks by grpc.health.v1.
type GRPCHealthCheck struct {
	// Service that is asked for. Left out: the server as a whole.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Service string `json:"service,omitempty"`
}

// TCPHealthCheck has no fields: a connection that opens is healthy.
type TCPHealthCheck struct{}
