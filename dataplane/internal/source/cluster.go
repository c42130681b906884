// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Resources that are read.
var (
	dataplanes     = v1alpha1.GroupVersion.WithResource("dataplanes")
	serviceRoutes  = v1alpha1.GroupVersion.WithResource("serviceroutes")
	nodeStates     = v1alpha1.GroupVersion.WithResource("nodestates")
	endpointSlices = discoveryv1.SchemeGroupVersion.WithResource("endpointslices")
	nodes          = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
)

// requestTimeout bounds a write; the agent tries again.
const requestTimeout = 10 * time.Second

// Cluster reads the API server of the node's cluster.
type Cluster struct {
	node    string
	client  dynamic.Interface
	log     *slog.Logger
	changed chan struct{}
	feeds   map[schema.GroupVersionResource]*feed
}

// NewCluster prepares to read with the given configuration. Nothing is asked
// before Run.
func NewCluster(config *rest.Config, node string, log *slog.Logger) (*Cluster, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("prepare the API client: %w", err)
	}
	c := &Cluster{node: node, client: client, log: log, changed: make(chan struct{}, 1), feeds: map[schema.GroupVersionResource]*feed{}}
	own := "metadata.name=" + node
	for r, selector := range map[schema.GroupVersionResource]string{
		dataplanes: "", serviceRoutes: "", endpointSlices: "", nodes: own, nodeStates: own,
	} {
		c.feeds[r] = newFeed(client.Resource(r), r, selector, c)
	}
	return c, nil
}

// Run reads along until the context ends.
func (c *Cluster) Run(ctx context.Context) {
	var wait sync.WaitGroup
	for _, f := range c.feeds {
		wait.Go(func() { f.informer.RunWithContext(ctx) })
	}
	wait.Wait()
}

// Changed receives when something changed.
func (c *Cluster) Changed() <-chan struct{} { return c.changed }

// notify wakes the reader up, once for many changes.
func (c *Cluster) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Read gives a complete Snapshot.
func (c *Cluster) Read() (Snapshot, error) {
	var s Snapshot
	var missing []string
	for _, r := range []schema.GroupVersionResource{dataplanes, serviceRoutes, endpointSlices, nodes, nodeStates} {
		if f := c.feeds[r]; !f.informer.HasSynced() {
			missing = append(missing, f.waitingFor())
		}
	}
	if len(missing) > 0 {
		return s, &Waiting{For: missing}
	}
	var errs []error
	var err error
	s.Dataplane, err = pick(decode[v1alpha1.Dataplane](c.feeds[dataplanes], &errs))
	errs = append(errs, err)
	for _, r := range decode[v1alpha1.ServiceRoute](c.feeds[serviceRoutes], &errs) {
		s.Routes = append(s.Routes, *r)
	}
	for _, e := range decode[discoveryv1.EndpointSlice](c.feeds[endpointSlices], &errs) {
		s.Slices = append(s.Slices, *e)
	}
	for _, n := range decode[v1alpha1.NodeState](c.feeds[nodeStates], &errs) {
		s.NodeState = n
	}
	for _, n := range c.feeds[nodes].list() {
		s.Addresses = internalAddresses(n)
	}
	return s, errors.Join(errs...)
}

// decode converts all objects of a feed. One that cannot be converted is an
// error, and the snapshot not complete.
func decode[T any](f *feed, errs *[]error) []*T {
	var out []*T
	for _, u := range f.list() {
		o := new(T)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, o); err != nil {
			*errs = append(*errs, fmt.Errorf("%s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err))
			continue
		}
		out = append(out, o)
	}
	return out
}

// internalAddresses are the addresses of a Node on its underlay.
func internalAddresses(n *unstructured.Unstructured) []netip.Addr {
	list, _, err := unstructured.NestedSlice(n.Object, "status", "addresses")
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, x := range list {
		m, _ := x.(map[string]any)
		text, _ := m["address"].(string)
		if addr, err := netip.ParseAddr(text); err == nil && m["type"] == "InternalIP" {
			out = append(out, addr)
		}
	}
	return out
}

// Publish creates or updates the node's NodeState. Its spec and its status are
// two writes.
func (c *Cluster) Publish(ctx context.Context, want v1alpha1.NodeState) error {
	f := c.feeds[nodeStates]
	if !f.informer.HasSynced() {
		return &Waiting{For: []string{f.waitingFor()}}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var errs []error
	var have *v1alpha1.NodeState
	for _, n := range decode[v1alpha1.NodeState](f, &errs) {
		have = n
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	have, err := c.publishSpec(ctx, have, want)
	if err == nil && !sameStatus(have, &want) {
		err = c.publishStatus(ctx, have, want)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return &Waiting{For: []string{"the latest NodeState to be read"}}
	}
	if err != nil {
		return fmt.Errorf("write NodeState %s: %w", c.node, err)
	}
	return nil
}

// publishSpec returns the NodeState with the wanted spec, as the API server has
// it.
func (c *Cluster) publishSpec(ctx context.Context, have *v1alpha1.NodeState, want v1alpha1.NodeState) (*v1alpha1.NodeState, error) {
	if have != nil && sameSpec(have, &want) {
		return have, nil
	}
	next := &v1alpha1.NodeState{}
	write := func(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.client.Resource(nodeStates).Create(ctx, u, metav1.CreateOptions{})
	}
	if have != nil {
		next = have.DeepCopy()
		write = func(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
			return c.client.Resource(nodeStates).Update(ctx, u, metav1.UpdateOptions{})
		}
	}
	next.Name, next.Spec = c.node, want.Spec
	return roundTrip(next, write)
}

// publishStatus writes the status.
func (c *Cluster) publishStatus(ctx context.Context, have *v1alpha1.NodeState, want v1alpha1.NodeState) error {
	next := have.DeepCopy()
	next.Status = want.Status
	_, err := roundTrip(next, func(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.client.Resource(nodeStates).UpdateStatus(ctx, u, metav1.UpdateOptions{})
	})
	return err
}

// roundTrip hands a NodeState to a write and reads the answer.
func roundTrip(n *v1alpha1.NodeState, write func(*unstructured.Unstructured) (*unstructured.Unstructured, error)) (*v1alpha1.NodeState, error) {
	n.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.KindNodeState))
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(n)
	if err != nil {
		return nil, err
	}
	got, err := write(&unstructured.Unstructured{Object: object})
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.NodeState{}
	return out, runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, out)
}
