// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Snapshot is everything that is wanted of a node, at one time.
type Snapshot struct {
	// Dataplane of the cluster; nil where there is none.
	Dataplane *v1alpha1.Dataplane
	Routes    []v1alpha1.ServiceRoute
	Slices    []discoveryv1.EndpointSlice
	// Addresses of the node, as its Node object has them; nil where there is no
	// such object.
	Addresses []netip.Addr
	// NodeState as it was last announced; nil before the first time.
	NodeState *v1alpha1.NodeState
}

// Source is where a node's agent learns what is wanted.
type Source interface {
	// Run reads along until the context ends. It never fails: what cannot be
	// read is tried again.
	Run(ctx context.Context)
	// Changed receives when Read may give something new. It may be nil: then
	// Read is cheap and is asked often.
	Changed() <-chan struct{}
	// Read gives a complete Snapshot. The error is a Waiting one where trying
	// again is all that is needed.
	Read() (Snapshot, error)
	// Publish writes the node's NodeState where it differs from what was
	// announced. It may have written the spec when it fails.
	Publish(ctx context.Context, want v1alpha1.NodeState) error
}

// Waiting is the error for what is not there yet and may come by itself.
type Waiting struct{ For []string }

// Error says what is waited for.
func (w *Waiting) Error() string { return "waiting for " + strings.Join(w.For, ", ") }

// IsWaiting says that trying again is all that is needed.
func IsWaiting(err error) bool {
	var w *Waiting
	return errors.As(err, &w)
}

// pick takes the only Dataplane. Two are a mistake that this side cannot
// decide.
func pick(list []*v1alpha1.Dataplane) (*v1alpha1.Dataplane, error) {
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return list[0], nil
	}
	var names []string
	for _, d := range list {
		names = append(names, d.Name)
	}
	return nil, fmt.Errorf("there are %d Dataplanes (%s): a cluster belongs to one ClusterSet; delete the others",
		len(list), strings.Join(names, ", "))
}

// sameSpec and sameStatus compare what is announced with what should be.
func sameSpec(a, b *v1alpha1.NodeState) bool {
	return equality.Semantic.DeepEqual(a.Spec, b.Spec)
}

func sameStatus(a, b *v1alpha1.NodeState) bool {
	return equality.Semantic.DeepEqual(a.Status, b.Status)
}
