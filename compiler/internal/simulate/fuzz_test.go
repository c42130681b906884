// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// interpreter answers by emitted objects.
type interpreter interface {
	Answer(simulate.World, simulate.Request) simulate.Answer
}

// goldens are the emitted objects of the examples.
func goldens(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../../../policies-example/*/golden/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no goldens: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// objects reads what can be read of a stream of documents.
func objects(text []byte) []manifest.Object {
	var out []manifest.Object
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		var content map[string]any
		if yaml.Unmarshal(doc, &content) != nil {
			continue
		}
		if o, err := manifest.FromContent(content); err == nil {
			out = append(out, o)
		}
	}
	return out
}

// ground has two clusters that know the services of the examples.
func ground() simulate.Ground {
	out := simulate.Ground{Sites: map[string]simulate.Site{}}
	for _, c := range []string{"cluster1", "cluster2"} {
		site := simulate.Site{Cluster: c, Domain: "clusterset.local", EastWest: "cilium", Observed: true, Istio: "1.31.1", TrustDomain: c + ".local", RootNamespace: "istio-system",
			ControlPlane: c, Network: c, Gateways: []netip.Addr{netip.MustParseAddr("192.0.2.21")}, GatewayPort: 15443,
			GatewayLabels: map[string]string{"istio": "eastwestgateway"}}
		for _, s := range []string{"reviews", "ratings", "rebel-base", "backend"} {
			site.Services = append(site.Services, inventory.Service{Name: inventory.Name{Namespace: "default", Name: s},
				Ports:     []inventory.Port{{Name: "http", Port: 9080, Transport: "TCP"}, {Port: 8080, TargetPort: 80}},
				Workloads: []inventory.Workload{{Labels: map[string]string{"version": "v1"}, ServiceAccount: s, Sidecar: true}}})
		}
		out.Sites[c] = site
	}
	return out
}

// fuzz looks for objects that make an interpreter panic, or give parts that do
// not add up.
func fuzz(f *testing.F, make func([]manifest.Bundle) interpreter) {
	goldens(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		all := objects(text)
		fragment := []manifest.Fragment{{ID: "TrafficPolicy/default/p", Objects: all}}
		in := make([]manifest.Bundle{{Store: "cluster1", Fragments: fragment}, {Store: "cluster2", Fragments: fragment}})
		for _, host := range []string{"reviews", "ratings.default.svc.clusterset.local", "rebel-base", "www.example.com"} {
			for _, scheme := range []string{"http", "tcp"} {
				r := simulate.Request{From: simulate.Caller{Cluster: "cluster1", Namespace: "default", Account: "a", Labels: map[string]string{"app": "a"}},
					Scheme: scheme, Host: host, Port: 9080, Method: "GET", Path: "/api/x"}
				if host == "www.example.com" {
					r.From.Gateway, r.Port = "eg", 80
				}
				a := in.Answer(simulate.World{Lost: []string{"cluster2"}}, r)
				whole := a.Unserved
				for _, s := range a.Shares {
					whole.Add(whole, s.Part)
				}
				if !whole.IsInt() || whole.Num().Int64() != 1 || a.Verdict == "" {
					t.Errorf("%s %s: %+v", scheme, host, a)
				}
			}
		}
	})
}

func FuzzIstio(f *testing.F) {
	fuzz(f, func(b []manifest.Bundle) interpreter { return simulate.NewIstio(ground(), b) })
}

func FuzzL4(f *testing.F) {
	fuzz(f, func(b []manifest.Bundle) interpreter { return simulate.NewL4(ground(), b) })
}

func FuzzCilium(f *testing.F) {
	fuzz(f, func(b []manifest.Bundle) interpreter { return simulate.NewCilium(ground(), b) })
}

func FuzzEnvoyGateway(f *testing.F) {
	fuzz(f, func(b []manifest.Bundle) interpreter { return simulate.NewEnvoyGateway(ground(), b) })
}
