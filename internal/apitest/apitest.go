// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

// startTimeout bounds the start of one control plane; it takes about 3 s on an
// idle machine, and tests of several packages may start at once.
const startTimeout = 2 * time.Minute

// Cluster is one running control plane.
type Cluster struct {
	Name   string
	Config *rest.Config
	env    *envtest.Environment
}

// shared holds the control planes of the test binary: they take seconds to
// start, so every test uses the same ones.
var shared struct {
	sync.Mutex
	clusters []Cluster
	err      error
}

// Start returns n control planes, cluster1 to clusterN, starting those that do
// not run yet. It skips the test where there is no sandbox, and fails it where
// the tools are not built.
func Start(t testing.TB, n int) []Cluster {
	t.Helper()
	sandbox.Need(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.err == nil && len(shared.clusters) < n {
		shared.clusters, shared.err = startMissing(shared.clusters, n)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return slices.Clone(shared.clusters[:n])
}

func startMissing(have []Cluster, n int) ([]Cluster, error) {
	root := sourceRoot()
	store, err := tools.Find(root)
	if err != nil {
		return nil, err
	}
	if err := store.Require(); err != nil {
		return nil, err
	}
	defer privateCache()()
	all := make([]Cluster, n)
	copy(all, have)
	var group errgroup.Group
	for i := len(have); i < n; i++ {
		group.Go(func() error {
			cluster, err := start(fmt.Sprintf("cluster%d", i+1), store.Dir, root)
			all[i] = cluster
			return err
		})
	}
	return all, group.Wait()
}

// privateCache has envtest keep its port locks in the sandbox, where it looks
// for the cache directory. What it returns undoes that: the tools lie in the
// real one.
func privateCache() (undo func()) {
	const name = "XDG_CACHE_HOME"
	before, was := os.LookupEnv(name)
	os.Setenv(name, filepath.Join(os.TempDir(), "cache"))
	return func() {
		os.Unsetenv(name)
		if was {
			os.Setenv(name, before)
		}
	}
}

func start(name, binaries, root string) (Cluster, error) {
	crds, err := resourceDefinitions(root)
	if err != nil {
		return Cluster{}, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory:    binaries,
		CRDDirectoryPaths:        crds,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	// The sandbox has no interface but the loopback, so the server must be told
	// its address, and must not announce it as an endpoint.
	env.ControlPlane.GetAPIServer().Configure().
		Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
	config, err := env.Start()
	if err != nil {
		return Cluster{}, fmt.Errorf("start the control plane of %s: %w", name, err)
	}
	config.QPS, config.Burst = -1, -1
	return Cluster{Name: name, Config: config, env: env}, nil
}

// resourceDefinitions returns the directories and files of the custom
// resources: our own, the MCS API's and Istio's, from the modules that define
// them.
func resourceDefinitions(root string) ([]string, error) {
	mcs, err := moduleDir(root, "sigs.k8s.io/mcs-api")
	if err != nil {
		return nil, err
	}
	istio, err := moduleDir(root, "istio.io/api")
	if err != nil {
		return nil, err
	}
	return []string{
		filepath.Join(root, "deploy", "crds"),
		filepath.Join(mcs, "config", "crd"),
		filepath.Join(istio, "kubernetes", "customresourcedefinitions.gen.yaml"),
	}, nil
}

func sourceRoot() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Dynamic returns a client of the cluster as its administrator.
func (c Cluster) Dynamic(t testing.TB) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// User returns the configuration of an ordinary user of the cluster.
func (c Cluster) User(t testing.TB, name string) *rest.Config {
	t.Helper()
	user, err := c.env.AddUser(envtest.User{Name: name}, c.Config)
	if err != nil {
		t.Fatal(err)
	}
	return user.Config()
}

// Namespace makes a namespace for the test and removes nothing: without a
// controller manager namespaces cannot be deleted, so each test has its own.
func (c Cluster) Namespace(t testing.TB, name string) {
	t.Helper()
	c.Create(t, "namespaces", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}})
}

// Create creates an object of the given resource as the administrator.
func (c Cluster) Create(t testing.TB, resource string, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	gvr := schema.FromAPIVersionAndKind(o.GetAPIVersion(), o.GetKind()).GroupVersion().WithResource(resource)
	var client dynamic.ResourceInterface = c.Dynamic(t).Resource(gvr)
	if ns := o.GetNamespace(); ns != "" {
		client = c.Dynamic(t).Resource(gvr).Namespace(ns)
	}
	created, err := client.Create(context.Background(), o, metaCreate)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// Kubeconfig writes a kubeconfig file with one context per cluster, named like
// it, and returns its path.
func Kubeconfig(t testing.TB, configs map[string]*rest.Config) string {
	t.Helper()
	file := clientcmdapi.NewConfig()
	for name, c := range configs {
		file.Clusters[name] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData}
		file.AuthInfos[name] = &clientcmdapi.AuthInfo{
			ClientCertificateData: c.CertData, ClientKeyData: c.KeyData, Token: c.BearerToken,
		}
		file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		t.Fatal(err)
	}
	return path
}
