// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead/fairlead/test/lab/controlplane"
	"github.com/fairlead/fairlead/test/lab/process"
	"github.com/fairlead/fairlead/test/netns"
)

// Node is one node of a cluster.
type Node struct {
	// Name is the Node object's; Address its InternalIP; PodCIDR its share of
	// the cluster's pod addresses.
	Name    string
	Address netip.Addr
	PodCIDR netip.Prefix
	// NS is the node's network namespace.
	NS *netns.NS

	cluster *Cluster
	relay   *relay
	proxy   *process.Process
	labels  map[string]string
}

// FullName is the node's name on the underlay and below /run/netns:
// CLUSTER:NODE.
func (n *Node) FullName() string { return n.cluster.Name + ":" + n.Name }

// Command prepares a program on the node. netecho is in its PATH.
func (n *Node) Command(ctx context.Context, argv ...string) *netns.Cmd {
	cmd := n.NS.Command(ctx, argv...)
	n.cluster.lab.setPath(cmd)
	return cmd
}

// Kubeconfig writes a kubeconfig file for a user on this node and returns its
// path. What the user may do is for RBAC to say.
func (n *Node) Kubeconfig(user string, groups ...string) (string, error) {
	config, err := n.cluster.control.UserConfig(user, groups...)
	if err != nil {
		return "", err
	}
	path := n.cluster.file(n.Name + "-" + strings.ReplaceAll(user, "/", "_") + ".kubeconfig")
	kubeconfig := controlplane.Kubeconfig(map[string]*rest.Config{n.cluster.Name: config})
	if err := clientcmd.WriteToFile(kubeconfig, path); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return path, nil
}

// connect makes the node's namespace a router with an address on the underlay
// and a relay to the API server.
func (n *Node) connect() error {
	ns, err := netns.New(n.FullName())
	if err != nil {
		return err
	}
	n.NS = ns
	address := netip.PrefixFrom(n.Address, underlayPrefix.Bits())
	if err := n.cluster.lab.underlay.Attach(n.FullName(), ns, address); err != nil {
		return err
	}
	err = ns.Do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644) })
	if err != nil {
		return fmt.Errorf("make %s forward: %w", n.FullName(), err)
	}
	if err := n.masquerade(); err != nil {
		return err
	}
	l, err := ns.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", n.cluster.port))
	if err != nil {
		return fmt.Errorf("listen for the API server on %s: %w", n.FullName(), err)
	}
	n.relay = startRelay(l, n.cluster.apiAddress())
	return nil
}

// masquerade is the rule that most CNIs have.
func (n *Node) masquerade() error {
	pods := make([]string, len(n.cluster.PodCIDRs))
	for i, p := range n.cluster.PodCIDRs {
		pods[i] = p.String()
	}
	set := strings.Join(pods, ", ")
	cmd := n.NS.Command(context.Background(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`table ip cni {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr { %s } ip daddr != { %s } masquerade
	}
}
`, set, set))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("masquerade on %s: nft: %w: %s", n.FullName(), err, out)
	}
	return nil
}

// routes leads other nodes' pods to their nodes.
func (n *Node) routes(all []*Node) error {
	h, err := n.NS.Handle()
	if err != nil {
		return err
	}
	for _, other := range all {
		if other == n {
			continue
		}
		err := h.RouteAdd(&netlink.Route{Dst: netns.IPNet(other.PodCIDR), Gw: other.Address.AsSlice()})
		if err != nil {
			return fmt.Errorf("route from %s to %s: %w", n.FullName(), other.PodCIDR, err)
		}
	}
	return nil
}

// proxyConfig is kube-proxy's. Zero conntrack values leave sysctls alone that
// are the machine's and not the namespace's. The shortest time between two
// changes of the kernel is a second by default, which every test would wait for.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
hostnameOverride: %s
clusterCIDR: %s
clientConnection: {kubeconfig: %s}
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 50ms}
`

// startProxy starts kube-proxy and returns when it has programmed the kernel.
func (n *Node) startProxy(ctx context.Context) error {
	kubeconfig, err := n.Kubeconfig("system:kube-proxy")
	if err != nil {
		return err
	}
	config := n.cluster.file(n.Name + "-kube-proxy.yaml")
	text := fmt.Sprintf(proxyConfig, n.Name, n.cluster.PodCIDRs[0], kubeconfig)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	n.proxy, err = process.Start(process.Spec{
		Argv: []string{n.cluster.lab.config.Tools.Path("kube-proxy"), "--config=" + config},
		NS:   n.NS,
		Log:  n.cluster.file(n.Name + "-kube-proxy.log"),
	})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: n.NS.DialContext, DisableKeepAlives: true}}
	return n.proxy.Wait(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:10256/healthz", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New("healthz: " + resp.Status)
		}
		return nil
	})
}

// close removes what connect and startProxy made.
func (n *Node) close() error {
	if n.proxy != nil {
		n.proxy.Kill()
	}
	if n.relay != nil {
		n.relay.close()
	}
	if n.NS == nil {
		return nil
	}
	return n.NS.Close()
}
