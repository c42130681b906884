// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/test/lab/process"
	"github.com/fairlead/fairlead/test/tools"
)

// istiod is one running control plane.
type istiod struct {
	*process.Process
	// grpc is where proxies ask, in clear text; http says when it is ready.
	grpc, http string
}

// startBound limits the start of an istiod, which takes 3 s on an idle machine.
const startBound = 2 * time.Minute

// found is looked up once, before anything moves the cache directory.
var found = sync.OnceValues(func() (tools.Store, error) {
	s, err := tools.Find(".")
	if err != nil {
		return s, err
	}
	return s, s.Require("pilot-discovery", "xdsread", "grpcsplit")
})

// store finds the built programs.
func store(t testing.TB) tools.Store {
	t.Helper()
	return must(found())(t)
}

// startIstiods starts the istiod of every config store, all at once.
func (w *World) startIstiods(t testing.TB) {
	t.Helper()
	for _, c := range w.clusters() {
		if primary := w.mesh(c).ControlPlane; primary != c {
			w.remoteSecret(t, primary, c)
		}
	}
	for _, c := range w.clusters() {
		if w.mesh(c).ControlPlane == c {
			w.istiods[c] = w.startIstiod(t, c)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), startBound)
	defer cancel()
	for name, i := range w.istiods {
		err := i.Wait(ctx, func(ctx context.Context) error { return ready(ctx, i.http) })
		if err != nil {
			t.Fatalf("istiod of %s: %v", name, err)
		}
	}
}

// sendsUnready is the switch of istiod 1.31 that makes it what it was before:
// without it, endpoints that are not ready are not sent.
const sendsUnready = "PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS"

// meshConfig is what differs between the meshes.
const meshConfig = `trustDomain: %s
defaultConfig: {discoveryAddress: istiod.%s.svc:15012}
`

func (w *World) startIstiod(t testing.TB, cluster string) *istiod {
	t.Helper()
	mesh, dir := w.mesh(cluster), t.TempDir()
	file := filepath.Join(dir, "mesh.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, meshConfig, mesh.TrustDomain, mesh.RootNamespace), 0o600); err != nil {
		t.Fatal(err)
	}
	kubeconfig := apitest.Kubeconfig(t, map[string]*rest.Config{"main": w.servers[cluster].Config})
	useContext(t, kubeconfig, "main")
	ports := freePorts(t, 2)
	p := must(process.Start(process.Spec{
		Argv: []string{store(t).Path("pilot-discovery"), "discovery", "--kubeconfig", kubeconfig, "--meshConfig", file, "--clusterID", cluster,
			"--namespace", mesh.RootNamespace, "--grpcAddr", ports[0], "--httpAddr", ports[1], "--httpsAddr", "", "--secureGRPCAddr", "", "--monitoringAddr", ""},
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "POD_NAME=istiod", "POD_NAMESPACE=" + mesh.RootNamespace,
			"PILOT_ENABLE_ANALYSIS=false", "JWT_POLICY=first-party-jwt", sendsUnready + "=" + strconv.FormatBool(!w.older)},
		Dir: dir, Log: filepath.Join(dir, "log"),
	}))(t)
	t.Cleanup(p.Kill)
	return &istiod{Process: p, grpc: ports[0], http: ports[1]}
}

// remoteSecret lets the istiod of the primary read another cluster.
func (w *World) remoteSecret(t testing.TB, primary, cluster string) {
	t.Helper()
	kubeconfig := apitest.Kubeconfig(t, map[string]*rest.Config{cluster: w.servers[cluster].Config})
	useContext(t, kubeconfig, cluster)
	ns := w.mesh(primary).RootNamespace
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "remote-" + cluster, Labels: map[string]string{"istio/multiCluster": "true"}},
		Data: map[string][]byte{cluster: must(os.ReadFile(kubeconfig))(t)}}
	must(w.client(t, primary).CoreV1().Secrets(ns).Create(context.Background(), secret, metav1.CreateOptions{}))(t)
}

// ready asks whether a control plane has read its whole store.
func ready(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/ready", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// useContext makes one context of a kubeconfig file the current one.
func useContext(t testing.TB, path, name string) {
	t.Helper()
	file := must(clientcmd.LoadFromFile(path))(t)
	file.CurrentContext = name
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		t.Fatal(err)
	}
}

// freePorts returns loopback addresses that nobody listens at. All are held
// until the last is found, so that they differ.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for range n {
		l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return slices.Clip(out)
}
