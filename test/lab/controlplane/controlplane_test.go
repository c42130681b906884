// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// config is a control plane's, with its files in the test's directory.
func config(t *testing.T) Config {
	t.Helper()
	sandbox.Need(t)
	store, err := tools.Find(".")
	if err == nil {
		err = store.Require()
	}
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Name: "one", Dir: t.TempDir(), Tools: store, Port: 6443, EtcdPort: 12379,
		ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("172.30.0.0/16")},
		Addresses:    []netip.Addr{netip.MustParseAddr("192.0.2.11")},
	}
}

// bounded is a context for everything a test waits for.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func clientFor(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestControlPlane(t *testing.T) {
	conf, ctx := config(t), bounded(t)
	c, err := Start(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	admin := clientFor(t, c.RESTConfig())
	t.Run("serves", func(t *testing.T) {
		svc, err := admin.CoreV1().Services("default").Get(ctx, "kubernetes", metav1.GetOptions{})
		if err != nil || svc.Spec.ClusterIP != "172.30.0.1" {
			t.Errorf("service kubernetes: %v, %v", svc.Spec.ClusterIP, err)
		}
	})
	t.Run("authorises", func(t *testing.T) { checkAuthorises(ctx, t, c) })
	t.Run("outage keeps data", func(t *testing.T) { checkOutage(ctx, t, c, admin) })
	t.Run("logs writes", func(t *testing.T) {
		text, err := os.ReadFile(c.AuditLog())
		if err != nil || !strings.Contains(string(text), `"name":"kept"`) || strings.Contains(string(text), `"verb":"get"`) {
			t.Errorf("audit log of %d bytes, %v: want the write of kept and no reads", len(text), err)
		}
	})
}

// checkAuthorises uses a certificate of a user to whom nothing is granted.
func checkAuthorises(ctx context.Context, t *testing.T, c *ControlPlane) {
	conf, err := c.UserConfig("nobody")
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientFor(t, conf).CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("got %v, want forbidden to nobody", err)
	}
}

// checkOutage stops and starts the API server, twice each.
func checkOutage(ctx context.Context, t *testing.T, c *ControlPlane, admin kubernetes.Interface) {
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
	if _, err := admin.CoreV1().ConfigMaps("default").Create(ctx, kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.StopAPIServer()
	c.StopAPIServer()
	if _, err := admin.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err == nil {
		t.Error("a stopped API server answered")
	}
	for range 2 {
		if err := c.StartAPIServer(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := admin.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func TestStartReportsWhatWentWrong(t *testing.T) {
	conf := config(t)
	conf.ServiceCIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/32")}
	_, err := Start(bounded(t), conf)
	if err == nil || !strings.Contains(err.Error(), "control plane of one") || !strings.Contains(err.Error(), "saying last") {
		t.Errorf("got %v", err)
	}
}

func TestKubeconfig(t *testing.T) {
	k := Kubeconfig(map[string]*rest.Config{"b": {Host: "https://b"}, "a": {Host: "https://a"}})
	if k.CurrentContext != "a" || len(k.Contexts) != 2 || k.Clusters[k.Contexts["b"].Cluster].Server != "https://b" {
		t.Errorf("got %+v", k)
	}
}
