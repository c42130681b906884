// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/test/tools"
)

// Config says what a lab is.
type Config struct {
	// Clusters are at least one, with different names.
	Clusters []ClusterConfig
	// Dir is for data and logs. Empty: a temporary directory that Close removes.
	Dir string
	// Progress gets one line per step, with the seconds since Start. nil:
	// nobody.
	Progress io.Writer
	// Tools are the Kubernetes programs. Zero: those of the source tree around
	// the working directory.
	Tools tools.Store
}

// ClusterConfig says what one cluster is. Only Name is needed.
type ClusterConfig struct {
	// Name is a DNS label. Contexts in the kubeconfig have it too.
	Name string
	// PodCIDRs are the cluster's pod addresses; nodes get shares of the first.
	// Empty: 10.N.0.0/16 for the N-th cluster, from 1.
	PodCIDRs []netip.Prefix
	// ServiceCIDRs are the cluster's service addresses. Empty: 10.(100+N).0.0/16.
	ServiceCIDRs []netip.Prefix
	// Nodes are the cluster's nodes. Empty: one.
	Nodes []NodeConfig
	// Outside, where set, is a listener in another network namespace whose
	// connections are led to the API server, which then uses the same port.
	Outside net.Listener
}

// NodeConfig says what one node is. The zero value is a good one.
type NodeConfig struct {
	// Name is a DNS label. Empty: worker-N for the N-th node, from 1.
	Name string
	// Address is the node's on the underlay, 192.0.2.0/24. Zero: 192.0.2.CN for
	// the N-th node of the C-th cluster, so 192.0.2.21 for the second's first.
	Address netip.Addr
	// Labels are added to the Node object's.
	Labels map[string]string
}

// Nodes are n nodes with default names and addresses.
func Nodes(n int) []NodeConfig { return make([]NodeConfig, n) }

const (
	// firstPort is the first cluster's API server's, where no outside listener
	// decides; the next clusters have the next ones.
	firstPort = 6443
	// firstEtcdPort is the first of two per cluster. Like firstPort it is below
	// the ports that the kernel gives to outgoing connections.
	firstEtcdPort = 12379
	// nodeBits is the length of a node's share of the pod addresses, or longer
	// where the cluster's prefix leaves no room.
	nodeBits = 24
	// maxNodes and maxClusters follow from the scheme of default addresses.
	maxNodes, maxClusters = 9, 24
)

// underlayPrefix is TEST-NET-1 (RFC 5737).
var underlayPrefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, 0}), 24)

// complete fills in defaults and reports everything that is wrong.
func (c Config) complete() (Config, error) {
	var errs []error
	c.Clusters = slices.Clone(c.Clusters)
	if len(c.Clusters) < 1 || len(c.Clusters) > maxClusters {
		errs = append(errs, fmt.Errorf("%d clusters: from 1 to %d are possible", len(c.Clusters), maxClusters))
	}
	names, addresses := map[string]bool{}, map[netip.Addr]bool{}
	for i := range c.Clusters {
		cluster := &c.Clusters[i]
		if cluster.Name == "" || names[cluster.Name] {
			errs = append(errs, fmt.Errorf("cluster %d: the name %q is empty or used twice", i+1, cluster.Name))
		}
		names[cluster.Name] = true
		cluster.complete(i)
		errs = append(errs, cluster.check(), cluster.checkNodes(addresses))
	}
	return c, errors.Join(errs...)
}

// complete fills in the defaults of the i-th cluster.
func (c *ClusterConfig) complete(i int) {
	const wide, serviceOffset, perCluster = 16, 100, 10
	private := func(second int) []netip.Prefix {
		return []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(second), 0, 0}), wide)}
	}
	if len(c.PodCIDRs) == 0 {
		c.PodCIDRs = private(i + 1)
	}
	if len(c.ServiceCIDRs) == 0 {
		c.ServiceCIDRs = private(serviceOffset + i + 1)
	}
	c.Nodes = slices.Clone(c.Nodes)
	if len(c.Nodes) == 0 {
		c.Nodes = Nodes(1)
	}
	for j := range c.Nodes {
		n := &c.Nodes[j]
		if n.Name == "" {
			n.Name = fmt.Sprintf("worker-%d", j+1)
		}
		if !n.Address.IsValid() {
			n.Address = netip.AddrFrom4([4]byte{192, 0, 2, byte(perCluster*(i+1) + j + 1)})
		}
	}
}

// check reports what is wrong with a cluster's addresses.
func (c *ClusterConfig) check() error {
	var errs []error
	for _, p := range slices.Concat(c.PodCIDRs, c.ServiceCIDRs) {
		if !p.Addr().Is4() || p != p.Masked() {
			errs = append(errs, fmt.Errorf("cluster %s: %s is not an IPv4 prefix without host bits", c.Name, p))
		}
	}
	// A share needs room for a pod beside network, node and broadcast address.
	const longest = 30
	if len(errs) == 0 && c.shareBits() > longest {
		errs = append(errs, fmt.Errorf("cluster %s: %s is too small for %d nodes", c.Name, c.PodCIDRs[0], len(c.Nodes)))
	}
	if len(c.Nodes) > maxNodes {
		errs = append(errs, fmt.Errorf("cluster %s: %d nodes, at most %d are possible", c.Name, len(c.Nodes), maxNodes))
	}
	return errors.Join(errs...)
}

// checkNodes reports what is wrong with a cluster's nodes; addresses are those
// of all clusters so far.
func (c *ClusterConfig) checkNodes(addresses map[netip.Addr]bool) error {
	var errs []error
	names := map[string]bool{}
	for _, n := range c.Nodes {
		if names[n.Name] {
			errs = append(errs, fmt.Errorf("cluster %s: two nodes %s", c.Name, n.Name))
		}
		names[n.Name] = true
		if !underlayPrefix.Contains(n.Address) || addresses[n.Address] {
			errs = append(errs, fmt.Errorf("cluster %s: node %s: address %s is outside %s or used twice",
				c.Name, n.Name, n.Address, underlayPrefix))
		}
		addresses[n.Address] = true
	}
	return errors.Join(errs...)
}

// shareBits is the prefix length of a node's share of the pod addresses.
func (c *ClusterConfig) shareBits() int {
	return max(nodeBits, c.PodCIDRs[0].Bits()+bits.Len(uint(len(c.Nodes)-1)))
}

// share is the j-th node's share of the pod addresses.
func (c *ClusterConfig) share(j int) netip.Prefix {
	const addressBits = 32
	length := c.shareBits()
	a := c.PodCIDRs[0].Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += uint32(j) << (addressBits - length)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), length)
}
