// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/test/gitserver"
	"github.com/fairlead/fairlead/test/world"
)

// weight returns the weight of the second backend of the frontend's route.
func weight(t *testing.T, w *world.World, cluster string) int64 {
	t.Helper()
	objects, err := w.Objects(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	route := objects["serviceroutes guestbook/frontend"]
	tiers, _, _ := unstructured.NestedSlice(route.Object, "spec", "import", "tiers")
	if len(tiers) == 0 {
		t.Fatalf("%s has no route for the frontend", cluster)
	}
	backends, _, _ := unstructured.NestedSlice(tiers[0].(map[string]any), "backends")
	last, _, _ := unstructured.NestedInt64(backends[len(backends)-1].(map[string]any), "weight")
	return last
}

func TestMemberDown(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, true)
	if err := w.Work.Write(world.FrontendFile, world.SharedFrontend(40, 60)); err != nil {
		t.Fatal(err)
	}
	push(t, w, "share")
	down := w.Lab.Cluster(world.Managed)
	down.StopAPIServer()
	out := reconcile(ctx, t, w, 2)
	contains(t, out.Stderr, world.Managed)
	if got := weight(t, w, world.Local); got != 60 {
		t.Errorf("the cluster that is up was not served: weight %d", got)
	}
	address, err := w.ClusterSetIP(ctx, world.Local, "redis-follower", 6379)
	if err != nil {
		t.Fatal(err)
	}
	if tally, err := w.Calls(ctx, world.Local, address, 5); err != nil || len(tally.Failures) > 0 {
		t.Errorf("traffic to the cluster whose API server is down stopped: %v %v", tally, err)
	}
	if err := down.StartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	reconcile(ctx, t, w, 0)
	if got := weight(t, w, world.Managed); got != 60 {
		t.Errorf("the next run did not mend: weight %d", got)
	}
}

func TestStrangersObject(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, false)
	const stranger = `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: redis-leader, namespace: guestbook}
spec: {type: ClusterSetIP, ips: [10.0.0.1], ports: [{port: 1, protocol: TCP}]}
`
	if err := w.Lab.Cluster(world.Managed).Apply(ctx, []byte(stranger)); err != nil {
		t.Fatal(err)
	}
	before := versions(ctx, t, w)
	out := reconcile(ctx, t, w, 0)
	contains(t, out.Stderr, "held", world.Managed, "redis-leader")
	after := versions(ctx, t, w)
	const key = world.Managed + " serviceimports guestbook/redis-leader"
	if before[key] == "" || before[key] != after[key] {
		t.Errorf("the stranger's object went from %q to %q", before[key], after[key])
	}
	for _, other := range []string{
		world.Local + " serviceimports guestbook/redis-leader",
		world.Managed + " serviceimports guestbook/redis-follower",
	} {
		if after[other] == "" {
			t.Errorf("%s was not applied", other)
		}
	}
}

func TestLyingMember(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, true)
	w.Agent(world.NodeName(world.Managed, 0)).Kill()
	before := versions(ctx, t, w)
	honest := announce(t, w, world.Local, nil)
	key, _, _ := unstructured.NestedString(honest.Object, "spec", "publicKey")
	addresses, _, _ := unstructured.NestedStringSlice(honest.Object, "spec", "addresses")
	for name, lie := range map[string]func(o *unstructured.Unstructured) error{
		"key": func(o *unstructured.Unstructured) error {
			return unstructured.SetNestedField(o.Object, key, "spec", "publicKey")
		},
		"addresses": func(o *unstructured.Unstructured) error {
			return unstructured.SetNestedStringSlice(o.Object, addresses, "spec", "addresses")
		},
	} {
		t.Run(name, func(t *testing.T) {
			was := announce(t, w, world.Managed, nil)
			announce(t, w, world.Managed, lie)
			out := reconcile(ctx, t, w, 0)
			contains(t, out.Stderr, "quarantined", world.Managed, world.NodeName(world.Managed, 0))
			if diff := cmp.Diff(before, versions(ctx, t, w)); diff != "" {
				t.Errorf("something else changed: %s", diff)
			}
			announce(t, w, world.Managed, func(o *unstructured.Unstructured) error {
				o.Object["spec"] = was.Object["spec"]
				return nil
			})
		})
	}
}

// announce changes, as an administrator could, what a cluster's first node
// announces, and returns it.
func announce(t *testing.T, w *world.World, cluster string, change func(*unstructured.Unstructured) error) *unstructured.Unstructured {
	t.Helper()
	client, err := w.Dynamic(cluster)
	if err != nil {
		t.Fatal(err)
	}
	states := client.Resource(world.NodeStates)
	o, err := states.Get(t.Context(), world.NodeName(cluster, 0), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		return o
	}
	if err := change(o); err != nil {
		t.Fatal(err)
	}
	if o, err = states.Update(t.Context(), o, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestForcePush(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, false)
	first, err := w.Push("the beginning")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Work.Write(world.FrontendFile, world.SharedFrontend(40, 60)); err != nil {
		t.Fatal(err)
	}
	push(t, w, "share")
	reconcile(ctx, t, w, 0)
	if got := weight(t, w, world.Local); got != 60 {
		t.Fatalf("weight %d", got)
	}
	if err := w.Work.Reset(first); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Work.Commit("another history"); err != nil {
		t.Fatal(err)
	}
	if err := w.Work.Push(true); err != nil {
		t.Fatal(err)
	}
	reconcile(ctx, t, w, 0)
	if got := weight(t, w, world.Local); got == 60 {
		t.Error("the history that was replaced is still in force")
	}
}

func TestUnreachableRemote(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, false)
	reconcile(ctx, t, w, 0)
	before := versions(ctx, t, w)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	out, err := w.Fairlead(ctx, "reconcile", "--repo", "http://"+closed.Addr().String()+"/policies.git",
		"--kubeconfig", w.Lab.Kubeconfig())
	if err != nil || out.Code != 2 {
		t.Errorf("exit code %d, %v", out.Code, err)
	}
	contains(t, out.Stderr, closed.Addr().String())
	if after := versions(ctx, t, w); !maps.Equal(before, after) {
		t.Error("something was written")
	}
}

func TestRepositoryOverSSH(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, false)
	server, err := gitserver.StartSSH(w.ServedDir())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	key, known := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(key, server.UserKey, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(known, []byte(server.KnownHosts+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := w.Fairlead(ctx, "reconcile", "--repo", server.URL("policies.git"), "--ref", "main",
		"--git-key-file", key, "--git-known-hosts", known, "--kubeconfig", w.Lab.Kubeconfig())
	if err != nil || out.Code != 0 {
		t.Fatalf("exit code %d, %v\n%s", out.Code, err, out.Stderr)
	}
	if len(versions(ctx, t, w)) == 0 {
		t.Error("nothing was applied")
	}
}
