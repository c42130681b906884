// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time such as "500ms", "30s" or "1m30s". The empty
// string means that none was given.
//
// +kubebuilder:validation:Pattern=`^([0-9]+(ms|s|m|h))+$`
type Duration string

// Parse returns the length of time; zero for the empty string. It fails on
// what the pattern of the type does not allow and on overflow.
func (d Duration) Parse() (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	v, err := time.ParseDuration(string(d))
	if err != nil {
		return 0, fmt.Errorf("duration %q: write it like 500ms, 30s or 1m30s", string(d))
	}
	return v, nil
}

// Percent is a whole percentage from 0% to 100%, such as "71%". The empty
// string means that none was given.
//
// +kubebuilder:validation:Pattern=`^(100|[1-9]?[0-9])%$`
type Percent string

// Parse returns the number before the sign, 0 to 100; zero for the empty
// string.
func (p Percent) Parse() (int, error) {
	if p == "" {
		return 0, nil
	}
	digits, found := strings.CutSuffix(string(p), "%")
	n, err := strconv.Atoi(digits)
	if !found || err != nil || n < 0 || n > 100 {
		return 0, fmt.Errorf("percentage %q: write a whole number from 0%% to 100%%", string(p))
	}
	return n, nil
}

// DefaultMinHealthy is failover.minHealthy where a policy does not say: the
// inverse of Envoy's overprovisioning factor of 1.4.
const DefaultMinHealthy = 71

// CIDR is an IPv4 or IPv6 prefix such as "10.1.0.0/16".
//
// +kubebuilder:validation:MinLength=4
// +kubebuilder:validation:MaxLength=43
type CIDR string

// Address is an IPv4 or IPv6 address without a prefix length.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=39
type Address string

// Protocol says how a service port is spoken to.
//
// +kubebuilder:validation:Enum=http;grpc;tls;tcp;udp
type Protocol string

// The protocols of a service port. http and grpc are routed per request, the
// others per connection.
const (
	ProtocolHTTP Protocol = "http"
	ProtocolGRPC Protocol = "grpc"
	ProtocolTLS  Protocol = "tls"
	ProtocolTCP  Protocol = "tcp"
	ProtocolUDP  Protocol = "udp"
)

// Transport is the transport protocol of a port, as Kubernetes spells it.
//
// +kubebuilder:validation:Enum=TCP;UDP
type Transport string

// The transports that a ServiceRoute carries.
const (
	TransportTCP Transport = "TCP"
	TransportUDP Transport = "UDP"
)
