// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
)

// ClusterTimeout bounds how long one cluster may take to be observed: as long as
// a person waits for an answer before asking whether it is up.
const ClusterTimeout = 10 * time.Second

// parallelClusters bounds how many clusters are observed at a time; each takes
// some connections and the memory of its largest list page.
const parallelClusters = 32

// Target is a cluster and the way to reach it.
type Target struct {
	// Name as the ClusterSet gives it.
	Name string
	// ClusterSet that it is in.
	ClusterSet string
	// Config reaches it; nil where Err says why that is not possible.
	Config *rest.Config
	Err    error
	// Timeout bounds the observation; zero means ClusterTimeout.
	Timeout time.Duration
}

// Collect observes all targets at once. It never fails: a cluster that cannot
// be observed is in the result with the reason. The time is written down as
// the caller's clock tells it.
func Collect(ctx context.Context, targets []Target, now time.Time) inventory.Inventory {
	inv := inventory.Inventory{
		APIVersion:  inventory.APIVersion,
		Kind:        inventory.Kind,
		CollectedAt: now.UTC().Format(time.RFC3339),
	}
	observed := make([]observation, len(targets))
	var group errgroup.Group
	group.SetLimit(parallelClusters)
	for i, target := range targets {
		group.Go(func() error {
			observed[i] = observe(ctx, target)
			return nil
		})
	}
	_ = group.Wait() // each observation carries its own failure
	for _, o := range observed {
		inv.Clusters = append(inv.Clusters, o.cluster)
	}
	inv.Ledger = ledger(observed)
	return inv
}

// observation is what was seen of one cluster.
type observation struct {
	cluster inventory.Cluster
	// own objects of Fairlead, from which the ledger is read.
	own own
}

// observe looks at one cluster. After a failure nothing of it is believed: half
// of the facts could look like a deletion of the other half.
func observe(ctx context.Context, target Target) observation {
	out := observation{cluster: inventory.Cluster{Name: target.Name}}
	err := target.Err
	if err == nil {
		timeout := target.Timeout
		if timeout == 0 {
			timeout = ClusterTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
		err = out.look(ctx, target)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", timeout)
		}
	}
	if err != nil {
		return observation{cluster: inventory.Cluster{Name: target.Name, Unreachable: kube.Explain(err)}}
	}
	return out
}

// look collects everything of one cluster, several kinds at a time.
func (o *observation) look(ctx context.Context, target Target) error {
	client, err := kube.NewClient(kube.Bound(ctx, target.Config))
	if err != nil {
		return err
	}
	l := &lister{client: client, clusterSet: target.ClusterSet}
	served, err := l.served()
	if err != nil {
		return err
	}
	var lock sync.Mutex
	locked := func(write func()) {
		lock.Lock()
		defer lock.Unlock()
		write()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return l.namespaces(ctx, func(all, ambient []string) {
			locked(func() { o.cluster.Namespaces, o.cluster.Ambient = all, ambient })
		})
	})
	group.Go(func() error {
		services, err := l.services(ctx)
		locked(func() { o.cluster.Services = services })
		return err
	})
	for of, into := range map[controlPlane]*string{istiod: &o.cluster.Istio, envoyGateway: &o.cluster.EnvoyGateway} {
		group.Go(func() error {
			version, err := l.version(ctx, of)
			locked(func() { *into = version })
			return err
		})
	}
	group.Go(func() error {
		version, routing, err := l.cilium(ctx)
		locked(func() { o.cluster.Cilium, o.cluster.HostRouting = version, routing })
		return err
	})
	group.Go(func() error {
		roots, err := l.roots(ctx, served)
		locked(func() { o.cluster.Roots = roots })
		return err
	})
	for _, kind := range served {
		o.cluster.Kinds = append(o.cluster.Kinds, kindName(kind.GroupKind()))
		group.Go(func() error { return l.kind(ctx, kind, func(f found) { locked(func() { o.take(f) }) }) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	o.sort()
	return nil
}

// kindName writes a kind as the inventory does.
func kindName(kind schema.GroupKind) string { return kind.String() }

// take adds what was found of one kind.
func (o *observation) take(f found) {
	o.cluster.Foreign = append(o.cluster.Foreign, f.foreign...)
	o.cluster.Exports = append(o.cluster.Exports, f.exports...)
	o.cluster.Nodes = append(o.cluster.Nodes, f.nodes...)
	o.own.dataplanes = append(o.own.dataplanes, f.own.dataplanes...)
	o.own.routes = append(o.own.routes, f.own.routes...)
	o.own.virtual = append(o.own.virtual, f.own.virtual...)
}

// sort makes the observation independent of the order of answers.
func (o *observation) sort() {
	c := &o.cluster
	slices.Sort(c.Kinds)
	slices.Sort(c.Namespaces)
	slices.Sort(c.Ambient)
	slices.SortFunc(c.Services, func(a, b inventory.Service) int { return a.Compare(b.Name) })
	slices.SortFunc(c.Exports, inventory.Name.Compare)
	slices.SortFunc(c.Nodes, func(a, b inventory.Node) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Foreign, func(a, b inventory.Object) int {
		return strings.Compare(a.Kind+"/"+a.Namespace+"/"+a.Name, b.Kind+"/"+b.Namespace+"/"+b.Name)
	})
}
