// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/test/lab/process"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

// Controller is the name by which GatewayClasses choose Envoy Gateway, and
// Namespace where it keeps what it needs.
const (
	Controller = "gateway.envoyproxy.io/gatewayclass-controller"
	Namespace  = "envoy-gateway-system"
)

// startTimeout bounds the start; it takes about 2 s on an idle machine.
const startTimeout = 2 * time.Minute

// settings of the control plane: Backends are off unless a user says otherwise,
// and one server needs no election.
const settings = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: ` + Controller + `}
provider: {type: Kubernetes, kubernetes: {leaderElection: {disable: true}}}
extensionApis: {enableBackend: true}
logging: {level: {default: error}}
`

// Server is a running Envoy Gateway.
type Server struct {
	// Cluster that it watches.
	Cluster apitest.Cluster
	tools   tools.Store
	// dir is what the program sees as its root.
	dir  string
	proc *process.Process
	// kinds finds resources; nil before the first use.
	kinds meta.RESTMapper
	// fed are the EndpointSlices of imports, in the order in which they were
	// written; nudges counts those that were written again. made are all
	// EndpointSlices, those of Services too.
	fed, made []*unstructured.Unstructured
	nudges    int
}

// shared is the one Server of the test binary: its ports are fixed, and it
// takes seconds to start.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Start returns the Server, which watches the first cluster of package apitest.
// It skips the test where there is no sandbox, and fails it where the tools are
// not built.
func Start(t testing.TB) *Server {
	t.Helper()
	sandbox.Need(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		// Before package apitest moves the cache directory.
		var store tools.Store
		if store, shared.err = tools.Find("."); shared.err == nil {
			shared.server, shared.err = start(apitest.Start(t, 1)[0], store)
		}
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	shared.server.prepare(t)
	return shared.server
}

func start(cluster apitest.Cluster, store tools.Store) (*Server, error) {
	if err := store.Require("envoy-gateway", "xdsread"); err != nil {
		return nil, err
	}
	if err := installDefinitions(cluster.Config, store.Source); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "envoy-gateway-")
	if err != nil {
		return nil, err
	}
	s := &Server{Cluster: cluster, tools: store, dir: dir}
	if err := s.furnish(); err != nil {
		return nil, fmt.Errorf("prepare Envoy Gateway: %w", err)
	}
	return s, s.run()
}

// furnish makes the root that the program runs in. It looks for its keys in
// /certs, and that directory must not appear on the machine.
func (s *Server) furnish() error {
	certgen := exec.Command(s.tools.Path("envoy-gateway"), "certgen", "--local", "--config-home", s.dir)
	if out, err := certgen.CombinedOutput(); err != nil {
		return fmt.Errorf("make certificates: %w\n%s", err, out)
	}
	if err := os.Rename(filepath.Join(s.dir, "certs"), filepath.Join(s.dir, "keys")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(s.dir, "keys", "envoy-gateway"), filepath.Join(s.dir, "certs")); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(s.dir, "tmp"), 0o700); err != nil {
		return err
	}
	files := map[string]string{"settings.yaml": settings, "kubeconfig": kubeconfig(s.Cluster.Config), "envoy-gateway": ""}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	// The program is large; a mount of the sandbox brings it in.
	return unix.Mount(s.tools.Path("envoy-gateway"), filepath.Join(s.dir, "envoy-gateway"), "", unix.MS_BIND, "")
}

// run starts the program and returns when it watches the cluster.
func (s *Server) run() error {
	p, err := process.Start(process.Spec{
		Argv: []string{"/envoy-gateway", "server", "--config-path", "/settings.yaml"},
		Env:  []string{"KUBECONFIG=/kubeconfig", "HOME=/tmp", "ENVOY_GATEWAY_NAMESPACE=" + Namespace},
		Dir:  "/", Root: s.dir, Log: filepath.Join(s.dir, "log"),
	})
	if err != nil {
		return err
	}
	s.proc = p
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return p.Wait(ctx, ready)
}

// ready asks the program whether its caches are full.
func ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8081/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz: %s", answer.Status)
	}
	return nil
}

// kubeconfig is an administrator's, as a file.
func kubeconfig(c *rest.Config) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: %q, certificate-authority-data: %s}}],
users: [{name: x, user: {client-certificate-data: %s, client-key-data: %s}}]}
`, c.Host, base64Of(c.CAData), base64Of(c.CertData), base64Of(c.KeyData))
}
