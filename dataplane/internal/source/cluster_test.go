// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/lab/controlplane"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// api is a real API server.
type api struct {
	t       *testing.T
	ctx     context.Context
	admin   dynamic.Interface
	typed   kubernetes.Interface
	control *controlplane.ControlPlane
}

func newAPI(t *testing.T) *api {
	sandbox.Need(t)
	store, err := tools.Find(".")
	if err == nil {
		err = store.Require()
	}
	if err != nil {
		t.Fatalf("the Kubernetes programs: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c, err := controlplane.Start(ctx, controlplane.Config{
		Name: "one", Dir: t.TempDir(), Tools: store, Port: 6443, EtcdPort: 12379,
		ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("172.30.0.0/16")},
		Addresses:    []netip.Addr{netip.MustParseAddr("192.0.2.11")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	a := &api{t: t, ctx: ctx, control: c}
	if a.admin, err = dynamic.NewForConfig(c.RESTConfig()); err == nil {
		a.typed, err = kubernetes.NewForConfig(c.RESTConfig())
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// resources are the kinds of the files under deploy.
var resources = map[string]schema.GroupVersionResource{
	"CustomResourceDefinition":         {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
	"Namespace":                        {Version: "v1", Resource: "namespaces"},
	"ServiceAccount":                   {Version: "v1", Resource: "serviceaccounts"},
	"ClusterRole":                      {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
	"ClusterRoleBinding":               {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
	"ValidatingAdmissionPolicy":        {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"},
	"ValidatingAdmissionPolicyBinding": {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"},
}

// create makes the objects of the files.
func (a *api) create(pattern string) {
	a.t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		a.t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			a.t.Fatal(err)
		}
		for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
			u := &unstructured.Unstructured{}
			if err := d.Decode(u); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				a.t.Fatal(f, err)
			}
			r := a.admin.Resource(resources[u.GetKind()]).Namespace(u.GetNamespace())
			if _, err := r.Create(a.ctx, u, metav1.CreateOptions{}); err != nil {
				a.t.Fatal(f, err)
			}
		}
	}
}

// createObject makes one object of a kind of ours.
func (a *api) createObject(r schema.GroupVersionResource, kind string, object map[string]any) {
	a.t.Helper()
	object["apiVersion"], object["kind"] = r.GroupVersion().String(), kind
	u := &unstructured.Unstructured{Object: object}
	a.eventually("create "+kind, func() error {
		_, err := a.admin.Resource(r).Namespace(u.GetNamespace()).Create(a.ctx, u, metav1.CreateOptions{})
		return err
	})
}

// agentConfig is the access of the agent on a node: its service account, with a
// token that is bound to the node, or to none.
func (a *api) agentConfig(node string) *rest.Config {
	a.t.Helper()
	request := &authenticationv1.TokenRequest{}
	if node != "" {
		n, err := a.typed.CoreV1().Nodes().Get(a.ctx, node, metav1.GetOptions{})
		if err != nil {
			a.t.Fatal(err)
		}
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Node", Name: node, UID: n.UID}
	}
	var token string
	a.eventually("make a token", func() error {
		got, err := a.typed.CoreV1().ServiceAccounts("fairlead-system").CreateToken(a.ctx, "fairlead-agent", request, metav1.CreateOptions{})
		if err == nil {
			token = got.Status.Token
		}
		return err
	})
	config := rest.AnonymousClientConfig(a.control.RESTConfig())
	config.BearerToken = token
	return config
}

func (a *api) node(name, address string) {
	a.t.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := a.typed.CoreV1().Nodes().Create(a.ctx, n, metav1.CreateOptions{})
	if err == nil {
		n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}, {Type: corev1.NodeInternalIP, Address: address}}
		_, err = a.typed.CoreV1().Nodes().UpdateStatus(a.ctx, n, metav1.UpdateOptions{})
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// eventually tries until it succeeds, with a bound.
func (a *api) eventually(what string, try func() error) {
	a.t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	a.t.Fatalf("%s: %v", what, err)
}

// open starts a source.
func (a *api) open(config *rest.Config, node string) *Cluster {
	a.t.Helper()
	c, err := NewCluster(config, node, slog.New(slog.DiscardHandler))
	if err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(a.ctx)
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	a.t.Cleanup(func() { cancel(); <-done })
	return c
}

func TestCluster(t *testing.T) {
	a := newAPI(t)
	early := a.open(a.control.RESTConfig(), "n1")
	a.eventually("the missing CRD to be named", func() error {
		_, err := early.Read()
		if !IsWaiting(err) || !strings.Contains(err.Error(), "dataplanes.fairlead.dev (the CRD is not installed)") {
			return errors.Join(errors.New("it says"), err)
		}
		return nil
	})
	a.create("../../../deploy/crds/*.yaml")
	a.create("../../../deploy/agent.yaml")
	a.node("n1", "192.0.2.1")
	a.node("n2", "192.0.2.2")
	a.eventually("the CRDs to be read", func() error { _, err := early.Read(); return err })
	c := a.open(a.agentConfig("n1"), "n1")
	t.Run("reads", func(t *testing.T) { testReads(t, a, c) })
	t.Run("publishes", func(t *testing.T) { testPublishes(t, a, c) })
	t.Run("publishes for its own node only", func(t *testing.T) { testOwnNodeOnly(t, a) })
	t.Run("keeps what it read", func(t *testing.T) { testOutage(t, a, c) })
}

func testReads(t *testing.T, a *api, c *Cluster) {
	a.createObject(dataplanes, v1alpha1.KindDataplane, map[string]any{
		"metadata": map[string]any{"name": "production"},
		"spec": map[string]any{"cluster": "c1", "driver": "wireguard", "globalCIDR": "242.1.0.0/16", "clusterSetCIDR": "243.0.0.0/8",
			"podCIDRs": []any{"10.1.0.0/16"}},
	})
	a.createObject(serviceRoutes, v1alpha1.KindServiceRoute, map[string]any{
		"metadata": map[string]any{"name": "web", "namespace": "default"},
		"spec": map[string]any{"service": "web", "ports": []any{map[string]any{"port": int64(80), "transport": "TCP"}},
			"export": map[string]any{"addresses": []any{"242.1.0.1"}}},
	})
	var got Snapshot
	a.eventually("the objects", func() (err error) {
		if got, err = c.Read(); err != nil || got.Dataplane == nil || len(got.Routes) == 0 || len(got.Slices) == 0 {
			return errors.Join(errors.New("not all there"), err)
		}
		return nil
	})
	if got.Dataplane.Spec.Cluster != "c1" || got.Dataplane.Generation != 1 || got.Routes[0].Spec.Service != "web" {
		t.Errorf("read %+v", got)
	}
	if len(got.Addresses) != 1 || got.Addresses[0] != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("addresses %v", got.Addresses)
	}
	a.createObject(dataplanes, v1alpha1.KindDataplane, map[string]any{
		"metadata": map[string]any{"name": "staging"},
		"spec":     map[string]any{"cluster": "c1", "driver": "wireguard", "globalCIDR": "242.1.0.0/16", "clusterSetCIDR": "243.0.0.0/8"},
	})
	a.eventually("two Dataplanes to be refused", func() error {
		if _, err := c.Read(); err == nil || !strings.Contains(err.Error(), "2 Dataplanes") {
			return errors.Join(errors.New("it says"), err)
		}
		return nil
	})
	if err := a.admin.Resource(dataplanes).Delete(a.ctx, "staging", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	a.eventually("one Dataplane", func() error { _, err := c.Read(); return err })
}

// wanted is a NodeState to announce.
func wanted(name string) v1alpha1.NodeState {
	n := v1alpha1.NodeState{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Spec = v1alpha1.NodeStateSpec{PublicKey: "mPSgZZXnGkq1cPyJwWp3HSGCP3zFLjAnf3Mv1XxXAWA=", Addresses: []v1alpha1.Address{"192.0.2.1"}}
	n.Status = v1alpha1.NodeStateStatus{MTU: 1440, ObservedGeneration: 1, Conditions: []metav1.Condition{{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Applied", Message: "x", LastTransitionTime: metav1.Now().Rfc3339Copy(),
	}}}
	return n
}

// testPublishes expects one write of spec and status, and none without a
// change.
func testPublishes(t *testing.T, a *api, c *Cluster) {
	want := wanted("n1")
	publish := func() { a.eventually("publish", func() error { return c.Publish(a.ctx, want) }) }
	read := func() *unstructured.Unstructured {
		u, err := a.admin.Resource(nodeStates).Get(a.ctx, "n1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	publish()
	first := read()
	if mtu, _, _ := unstructured.NestedInt64(first.Object, "status", "mtu"); mtu != 1440 {
		t.Errorf("published %v", first.Object)
	}
	a.eventually("the own NodeState to be read", func() error {
		if s, err := c.Read(); err != nil || s.NodeState == nil || s.NodeState.ResourceVersion != first.GetResourceVersion() {
			return errors.Join(errors.New("an older one"), err)
		}
		return nil
	})
	publish()
	if again := read(); again.GetResourceVersion() != first.GetResourceVersion() {
		t.Error("the same was written again")
	}
	want.Spec.Addresses = []v1alpha1.Address{"192.0.2.9"}
	publish()
	a.eventually("the change", func() error {
		if list, _, _ := unstructured.NestedStringSlice(read().Object, "spec", "addresses"); strings.Join(list, ",") != "192.0.2.9" {
			return errors.New(strings.Join(list, ","))
		}
		return nil
	})
}

// testOwnNodeOnly writes another node's NodeState with n1's token, and n1's with
// a token that is bound to no node.
func testOwnNodeOnly(t *testing.T, a *api) {
	for _, x := range []struct{ token, node, want string }{
		{"n1", "n2", "this token is of node n1"},
		{"", "n2", "this token is bound to no node"},
	} {
		c := a.open(a.agentConfig(x.token), x.node)
		// A policy is enforced a moment after it was made; by now it is.
		a.eventually("the refusal", func() error {
			err := c.Publish(a.ctx, wanted(x.node))
			if err == nil {
				t.Fatalf("a token of node %q wrote NodeState %s", x.token, x.node)
			}
			if !strings.Contains(err.Error(), x.want) {
				return err
			}
			return nil
		})
	}
}

// testOutage stops the API server: what was read stays.
func testOutage(t *testing.T, a *api, c *Cluster) {
	a.control.StopAPIServer()
	if err := c.Publish(a.ctx, wanted("n1")); err == nil {
		t.Error("published to nobody")
	}
	if s, err := c.Read(); err != nil || s.Dataplane == nil || len(s.Routes) != 1 {
		t.Errorf("read %+v, %v", s, err)
	}
}
