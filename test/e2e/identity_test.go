// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead/fairlead/test/world"
)

// A node's agent can announce its own node and no other.
func TestNodeStateBelongsToItsNode(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, false)
	cluster := w.Lab.Cluster(world.Local)
	node := cluster.Nodes()[0]
	config, err := w.NodeIdentity(ctx, cluster, node)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	state := func(name string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "fairlead.dev/v1alpha1", "kind": "NodeState",
			"metadata": map[string]any{"name": name}, "spec": map[string]any{},
		}}
	}
	create := func(name string) error {
		_, err := client.Resource(world.NodeStates).Create(ctx, state(name), metav1.CreateOptions{})
		return err
	}
	// A new admission policy takes a moment to be enforced; a name nobody has
	// tells when it is.
	for err = create("another-node"); err == nil; err = create("another-node") {
		if err := w.Delete(ctx, world.Local, world.NodeStates, "another-node"); err != nil {
			t.Fatal(err)
		}
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
		t.Errorf("announcing another node failed with: %v", err)
	}
	if err := create(node.Name); err != nil {
		t.Errorf("announcing its own node failed: %v", err)
	}
	if _, err := client.Resource(world.Dataplanes).Create(ctx, state("x"), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the agent may write a Dataplane: %v", err)
	}
}
