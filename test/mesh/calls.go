// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/fairlead/fairlead/test/lab/process"
)

// local makes every address of a prefix one of this namespace's own, so that
// servers can stand where pods and gateways would.
func local(t testing.TB, prefix string) {
	t.Helper()
	lo := must(netlink.LinkByName("lo"))(t)
	if err := netlink.AddrReplace(lo, must(netlink.ParseAddr(prefix))(t)); err != nil {
		t.Fatal(err)
	}
}

// servers answer gRPC calls with a name at each of the addresses until they are
// killed.
func servers(t testing.TB, name string, addresses ...netip.AddrPort) *process.Process {
	t.Helper()
	argv := []string{store(t).Path("grpcsplit"), "serve"}
	for _, a := range addresses {
		argv = append(argv, name+"="+a.String())
	}
	p := must(process.Start(process.Spec{Argv: argv, Log: filepath.Join(t.TempDir(), "log")}))(t)
	t.Cleanup(p.Kill)
	ctx, cancel := context.WithTimeout(context.Background(), settle)
	defer cancel()
	for _, a := range addresses {
		err := p.Wait(ctx, func(ctx context.Context) error {
			conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", a.String())
			if err != nil {
				return err
			}
			return conn.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// addresses are those of a cluster's pods that have the labels.
func (w *World) addresses(cluster string, labels map[string]string, port uint16) []netip.AddrPort {
	var out []netip.AddrPort
	for _, p := range w.Pods {
		if p.Cluster == cluster && p.service != "" && has(p.Labels, labels) {
			out = append(out, netip.AddrPortFrom(netip.MustParseAddr(p.IP), port))
		}
	}
	return out
}

// proxyless makes calls as a gRPC client that the caller's istiod configures,
// and counts who answered; nobody is "".
func (w *World) proxyless(t testing.TB, c call, n int) map[string]int {
	t.Helper()
	p := w.caller(t, c)
	bootstrap := must(json.Marshal(map[string]any{
		"xds_servers": []any{map[string]any{"server_uri": w.istiods[w.mesh(p.Cluster).ControlPlane].grpc,
			"channel_creds": []any{map[string]any{"type": "insecure"}}, "server_features": []any{"xds_v3"}}},
		// Istiod speaks of certificates, which a client that speaks clear text
		// never reads.
		"certificate_providers": map[string]any{"default": map[string]any{"plugin_name": "file_watcher",
			"config": map[string]any{"certificate_file": "none", "private_key_file": "none", "ca_certificate_file": "none", "refresh_interval": "600s"}}},
		"node": map[string]any{
			"id": fmt.Sprintf("sidecar~%s~%s.%s~%s.svc.cluster.local", p.IP, p.Name, p.Namespace, p.Namespace),
			"metadata": map[string]any{"GENERATOR": "grpc", "NAMESPACE": p.Namespace, "CLUSTER_ID": p.Cluster, "LABELS": p.Labels,
				"ISTIO_VERSION": istioVersion, "INSTANCE_IPS": p.IP},
		},
	}))(t)
	cmd := exec.Command(store(t).Path("grpcsplit"), "call", c.URL, strconv.Itoa(n))
	cmd.Env = append(slices.Clone(os.Environ()), "GRPC_XDS_BOOTSTRAP_CONFIG="+string(bootstrap))
	cmd.Stderr = os.Stderr
	out := map[string]int{}
	if err := json.Unmarshal(must(cmd.Output())(t), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// chiSquare says how far counts are from what shares would make of them
// (Pearson). What no share is of makes it infinite.
func chiSquare(counts map[string]int, shares map[string]float64) float64 {
	n, sum := 0, 0.0
	for name, c := range counts {
		n += c
		if shares[name] == 0 && c > 0 {
			return 1e9
		}
	}
	for name, s := range shares {
		want := s * float64(n)
		got := float64(counts[name])
		sum += (got - want) * (got - want) / want
	}
	return sum
}
