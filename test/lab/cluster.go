// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/test/lab/controlplane"
	"github.com/fairlead/fairlead/test/lab/kubelet"
	"github.com/fairlead/fairlead/test/netns"
)

// Cluster is one cluster of a lab. Its methods may be called concurrently.
type Cluster struct {
	// Name is the cluster's and its context's.
	Name string
	// PodCIDRs and ServiceCIDRs are as configured or by default.
	PodCIDRs, ServiceCIDRs []netip.Prefix

	lab      *Lab
	dir      string
	port     uint16
	etcdPort uint16
	nodes    []*Node
	control  *controlplane.ControlPlane
	client   kubernetes.Interface
	applier  *applier
	kubelet  *kubelet.Kubelet
	outside  *relay
}

// newCluster is the i-th of a lab. Nothing of it exists yet.
func newCluster(l *Lab, i int, c ClusterConfig) *Cluster {
	cluster := &Cluster{
		Name: c.Name, PodCIDRs: c.PodCIDRs, ServiceCIDRs: c.ServiceCIDRs,
		lab: l, dir: filepath.Join(l.dir, c.Name),
		port: firstPort + uint16(i), etcdPort: firstEtcdPort + 2*uint16(i),
	}
	if c.Outside != nil {
		cluster.port = netip.MustParseAddrPort(c.Outside.Addr().String()).Port()
		cluster.outside = startRelay(c.Outside, cluster.apiAddress())
	}
	for j, n := range c.Nodes {
		cluster.nodes = append(cluster.nodes, &Node{
			Name: n.Name, Address: n.Address, PodCIDR: c.share(j), cluster: cluster, labels: n.Labels,
		})
	}
	return cluster
}

// file is a path in the cluster's directory.
func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }

// apiAddress is the API server's in the sandbox.
func (c *Cluster) apiAddress() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }

// start brings everything of the cluster up. What was made is there for close
// also after an error.
func (c *Cluster) start(ctx context.Context) error {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	var nodes errgroup.Group
	nodes.Go(c.connectNodes)
	if err := errors.Join(c.startControlPlane(ctx), nodes.Wait()); err != nil {
		return err
	}
	c.lab.progress("%s: control plane ready", c.Name)
	config := kubelet.Config{
		Cluster: c.Name, Client: c.client, Dir: c.file("pods"), Path: c.lab.bin(),
		Log: slog.New(slog.NewTextHandler(c.lab.log, nil)),
	}
	for _, n := range c.nodes {
		config.Nodes = append(config.Nodes, kubelet.Node{
			Name: n.Name, NS: n.NS, Address: n.Address, PodCIDR: n.PodCIDR, Labels: n.labels,
		})
	}
	var err error
	if c.kubelet, err = kubelet.Start(ctx, config); err != nil {
		return err
	}
	var proxies errgroup.Group
	for _, n := range c.nodes {
		proxies.Go(func() error { return n.startProxy(ctx) })
	}
	if err := proxies.Wait(); err != nil {
		return err
	}
	c.lab.progress("%s: nodes ready", c.Name)
	return nil
}

// connectNodes makes the nodes' networks.
func (c *Cluster) connectNodes() error {
	for _, n := range c.nodes {
		if err := n.connect(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		if err := n.routes(c.nodes); err != nil {
			return err
		}
	}
	return nil
}

// startControlPlane starts it and makes the clients.
func (c *Cluster) startControlPlane(ctx context.Context) (err error) {
	config := controlplane.Config{
		Name: c.Name, Dir: c.file("control-plane"), Tools: c.lab.config.Tools,
		ServiceCIDRs: c.ServiceCIDRs, Port: c.port, EtcdPort: c.etcdPort,
	}
	for _, n := range c.nodes {
		config.Addresses = append(config.Addresses, n.Address)
	}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return err
	}
	if c.control, err = controlplane.Start(ctx, config); err != nil {
		return err
	}
	if c.client, err = kubernetes.NewForConfig(c.control.RESTConfig()); err != nil {
		return fmt.Errorf("make a client of %s: %w", c.Name, err)
	}
	c.applier, err = newApplier(c.control.RESTConfig())
	return err
}

// close ends everything of the cluster.
func (c *Cluster) close() error {
	if c.kubelet != nil {
		c.kubelet.Close()
	}
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.close())
	}
	if c.control != nil {
		c.control.Close()
	}
	if c.outside != nil {
		c.outside.close()
	}
	return errors.Join(errs...)
}

// RESTConfig is an administrator's access from the sandbox and from the
// cluster's nodes, without client-side rate limits. The caller may change it.
func (c *Cluster) RESTConfig() *rest.Config { return c.control.RESTConfig() }

// UserConfig is a user's access, by a client certificate; RBAC says what for.
func (c *Cluster) UserConfig(user string, groups ...string) (*rest.Config, error) {
	return c.control.UserConfig(user, groups...)
}

// Client is an administrator's client.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// Apply applies documents of YAML in order, server-side, as the lab's own field
// manager. It waits until a CustomResourceDefinition is served and until pods
// can be created in a new namespace, so that one file may hold everything.
func (c *Cluster) Apply(ctx context.Context, yaml []byte) error {
	if err := c.applier.apply(ctx, yaml); err != nil {
		return fmt.Errorf("apply to %s: %w", c.Name, err)
	}
	return nil
}

// StopAPIServer kills the API server, as a crash would. Pods, kube-proxy and
// the controllers go on.
func (c *Cluster) StopAPIServer() { c.control.StopAPIServer() }

// StartAPIServer starts it again with the same data, and waits for it.
func (c *Cluster) StartAPIServer(ctx context.Context) error { return c.control.StartAPIServer(ctx) }

// AuditLog is the file with one line of JSON per answered write request.
func (c *Cluster) AuditLog() string { return c.control.AuditLog() }

// Nodes are the cluster's nodes as configured.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// Node is the node of that name, nil when there is none.
func (c *Cluster) Node(name string) *Node {
	for _, n := range c.nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// PodNS is a running pod's network namespace.
func (c *Cluster) PodNS(namespace, pod string) (*netns.NS, error) {
	return c.kubelet.PodNS(namespace, pod)
}

// Command prepares a program in a running pod's network namespace. netecho is
// in its PATH.
func (c *Cluster) Command(ctx context.Context, namespace, pod string, argv ...string) (*netns.Cmd, error) {
	ns, err := c.PodNS(namespace, pod)
	if err != nil {
		return nil, err
	}
	cmd := ns.Command(ctx, argv...)
	c.lab.setPath(cmd)
	return cmd, nil
}

// PodLog is what a container of a pod has written.
func (c *Cluster) PodLog(ctx context.Context, namespace, pod, container string) (string, error) {
	p, err := c.client.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(c.kubelet.LogPath(p, container))
	return string(text), err
}

// isReady reports whether a pod's Ready condition is true.
func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// WaitPods waits until count pods of a selector are ready and none is being
// deleted, and returns them in order of their names.
func (c *Cluster) WaitPods(ctx context.Context, namespace, selector string, count int) ([]corev1.Pod, error) {
	var last string
	for {
		list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		switch {
		case err != nil:
			last = err.Error()
		case len(list.Items) == count && !slices.ContainsFunc(list.Items, func(p corev1.Pod) bool {
			return !isReady(&p) || p.DeletionTimestamp != nil
		}):
			return list.Items, nil
		default:
			last = describe(list.Items)
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("wait for %d ready pods %s of %s in %s: %w; last seen: %s", count, selector, namespace, c.Name, err, last)
		}
	}
}
