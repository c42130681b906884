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

// PortRange is a port such as "51820", or a range of ports such as
// "51820-51835" with both ends in it. The empty string means that none was
// given.
//
// +kubebuilder:validation:Pattern=`^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$`
type PortRange string

// MaxPorts is how many ports a PortRange has at most: far more than a gateway
// can use, and few enough to be opened in a firewall on purpose.
const MaxPorts = 64

// Parse returns the first and the last port; zeros for the empty string. It
// fails on what is no port, on a range that runs backwards and on one of more
// than MaxPorts.
func (r PortRange) Parse() (first, last int32, err error) {
	if r == "" {
		return 0, 0, nil
	}
	from, to, isRange := strings.Cut(string(r), "-")
	if !isRange {
		to = from
	}
	a, err := strconv.ParseUint(from, 10, 16)
	if err != nil || a == 0 {
		return 0, 0, fmt.Errorf("%s is not a port: ports are 1 to 65535", from)
	}
	b, err := strconv.ParseUint(to, 10, 16)
	if err != nil || b == 0 {
		return 0, 0, fmt.Errorf("%s is not a port: ports are 1 to 65535", to)
	}
	switch {
	case b < a:
		return 0, 0, fmt.Errorf("the range %s runs backwards", r)
	case b-a >= MaxPorts:
		return 0, 0, fmt.Errorf("the range %s has more than %d ports", r, MaxPorts)
	}
	return int32(a), int32(b), nil
}

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
