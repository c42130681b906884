// SPDX-License-Identifier: Apache-2.0

package accepted

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/test/cilium"
	"github.com/fairlead/fairlead/test/sandbox"
)

// servers are one in which objects are judged, and two that are reconciled.
const servers = 3

// server judges objects.
type server struct {
	t      *testing.T
	client dynamic.Interface
	mapper meta.RESTMapper
	// made are the namespaces and Services that are there for the objects.
	made map[string]bool
	// judged objects, and their kinds.
	judged int
	kinds  map[string]bool
}

// newServer starts an API server that has the definitions of everything that
// reads what Fairlead writes.
func newServer(t *testing.T) *server {
	t.Helper()
	sandbox.Need(t)
	paths := definitions(t)
	c := apitest.Start(t, servers)[0]
	if _, err := envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	return &server{t: t, client: c.Dynamic(t), mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco)),
		made: map[string]bool{}, kinds: map[string]bool{}}
}

// definitions are the custom resources of Cilium, of the Gateway API and of
// Envoy Gateway, of the releases that the tests run; all others are in every
// cluster of package apitest.
func definitions(t *testing.T) []string {
	t.Helper()
	policies := ciliumDefinition(t)
	list := exec.Command("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/envoyproxy/gateway")
	list.Dir = filepath.Join(root, "test", "tools", "envoygateway")
	list.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("find the sources of Envoy Gateway: %v", err)
	}
	gateway := filepath.Join(strings.TrimSpace(string(out)), "charts", "gateway-helm", "charts", "crds", "crds")
	return []string{policies, filepath.Join(gateway, "gatewayapi-crds.yaml"), filepath.Join(gateway, "generated")}
}

// findCilium finds the tool once, before a control plane moves the cache in
// which it is.
var findCilium = sync.OnceValues(func() (cilium.Check, error) { return cilium.Find(root) })

// ciliumDefinition writes the custom resource of Cilium's policies to a file.
func ciliumDefinition(t *testing.T) string {
	t.Helper()
	check, err := findCilium()
	if err != nil {
		t.Fatal(err)
	}
	text, err := check.Definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cilium.yaml")
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// resource returns the interface to the kind of an object.
func (s *server) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	mapping, err := s.mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
	if err != nil {
		return nil, err
	}
	return s.client.Resource(mapping.Resource).Namespace(o.GetNamespace()), nil
}

// judge reports what the server finds wrong in an object.
func (s *server) judge(scenario string, o *unstructured.Unstructured) {
	s.t.Helper()
	s.there(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": o.GetNamespace()}}})
	s.judged++
	if !s.kinds[o.GetKind()] {
		s.kinds[o.GetKind()] = true
		s.refuses(o)
	}
	if err := s.dryRun(o); err != nil {
		s.t.Errorf("%s: %s %s/%s: %v", scenario, o.GetKind(), o.GetNamespace(), o.GetName(), err)
	}
}

// theirs makes the object that something is claimed of, as its owner would.
func (s *server) theirs(claim *unstructured.Unstructured) {
	s.t.Helper()
	s.there(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": claim.GetNamespace()}}})
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": claim.GetAPIVersion(), "kind": claim.GetKind(),
		"metadata": map[string]any{"name": claim.GetName(), "namespace": claim.GetNamespace()}}}
	if o.GetKind() == "Service" {
		o.Object["spec"] = map[string]any{"ports": []any{map[string]any{"name": "any", "port": int64(1)}}}
	}
	s.there(o)
}

// gone removes what another cluster has by the name of an object, where this
// server stands for both.
func (s *server) gone(o *unstructured.Unstructured) {
	s.t.Helper()
	key := o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
	if !s.made[key] {
		return
	}
	delete(s.made, key)
	resource, err := s.resource(o)
	if err == nil {
		err = resource.Delete(s.t.Context(), o.GetName(), metav1.DeleteOptions{})
	}
	if err != nil {
		s.t.Fatalf("remove %s: %v", key, err)
	}
}

// there makes an object unless it is there.
func (s *server) there(o *unstructured.Unstructured) {
	s.t.Helper()
	key := o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
	if o.GetName() == "" || s.made[key] {
		return
	}
	s.made[key] = true
	resource, err := s.resource(o)
	if err == nil {
		_, err = resource.Create(s.t.Context(), o, metav1.CreateOptions{FieldManager: "somebody-else"})
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		s.t.Fatalf("make %s: %v", key, err)
	}
}
