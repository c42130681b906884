// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/lab/controlplane"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

// TestKubeconfig runs the whole agent against a real API server: first without
// the CRDs, then without a Dataplane, then with one.
func TestKubeconfig(t *testing.T) {
	sandbox.Need(t)
	store, err := tools.Find(".")
	if err == nil {
		err = store.Require()
	}
	if err != nil {
		t.Fatalf("the Kubernetes programs: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	control, err := controlplane.Start(ctx, controlplane.Config{
		Name: "one", Dir: t.TempDir(), Tools: store, Port: 6443, EtcdPort: 12379,
		ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("172.30.0.0/16")},
		Addresses:    []netip.Addr{netip.MustParseAddr("192.0.2.11")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	kubeconfig, state := filepath.Join(t.TempDir(), "kubeconfig"), t.TempDir()
	config := controlplane.Kubeconfig(map[string]*rest.Config{"one": control.RESTConfig()})
	config.CurrentContext = "one"
	if err := clientcmd.WriteToFile(config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	end := runInProcess(t, log, "--node", "n9", "--kubeconfig", kubeconfig, "--state-dir", state)
	client, err := dynamic.NewForConfig(control.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	follow(t, client, log)
	if code := end(); code != codeOK {
		t.Errorf("exit code %d", code)
	}
	if code, _, text := outcomeOf(t, "--cleanup", "--state-dir", state); code != codeOK {
		t.Errorf("clean-up: %d, %s", code, text)
	}
}

// runInProcess runs the agent and returns what ends it.
func runInProcess(t *testing.T, log string, args ...string) (end func() int) {
	t.Helper()
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() { code <- Run(ctx, Streams{Out: f, Err: f}, args) }()
	t.Cleanup(func() { cancel(); f.Close() })
	return func() int { cancel(); return <-code }
}

// follow makes what the agent waits for, step by step.
func follow(t *testing.T, client dynamic.Interface, log string) {
	t.Helper()
	says := func(text string) {
		t.Helper()
		read := func() string { content, _ := os.ReadFile(log); return string(content) }
		eventually(t, 60*time.Second, func() bool { return strings.Contains(read(), text) }, func() string {
			return fmt.Sprintf("the agent does not say %q:\n%s", text, read())
		})
	}
	says("the CRD is not installed")
	crds := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	files, err := filepath.Glob("../deploy/crds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(content, &u.Object); err != nil {
			t.Fatal(err)
		}
		if _, err := crds.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	says("NoDataplane")
	announced(t, client, "NoDataplane")
	plane := &v1alpha1.Dataplane{ObjectMeta: metav1.ObjectMeta{Name: "production"}, Spec: v1alpha1.DataplaneSpec{
		Cluster: "one", Driver: v1alpha1.DriverWireGuard, GlobalCIDR: "242.1.0.0/16", ClusterSetCIDR: "243.0.0.0/8",
	}}
	plane.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.KindDataplane))
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(plane)
	if err == nil {
		_, err = client.Resource(v1alpha1.GroupVersion.WithResource("dataplanes")).
			Create(t.Context(), &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	says("msg=ready")
	announced(t, client, "Applied")
}

// announced waits for a NodeState with a key and the reason.
func announced(t *testing.T, client dynamic.Interface, reason string) {
	t.Helper()
	var n v1alpha1.NodeState
	read := func() bool {
		u, err := client.Resource(v1alpha1.GroupVersion.WithResource("nodestates")).Get(t.Context(), "n9", metav1.GetOptions{})
		if err != nil {
			return false
		}
		n = v1alpha1.NodeState{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &n); err != nil {
			t.Fatal(err)
		}
		c := n.Status.Conditions
		return n.Spec.PublicKey != "" && len(c) == 1 && c[0].Reason == reason
	}
	eventually(t, 30*time.Second, read, func() string { return fmt.Sprintf("announced %+v, want %s", n, reason) })
}
