// SPDX-License-Identifier: Apache-2.0

package inventory_test

import (
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/reconciler/internal/inventory"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/test/sandbox"
)

var update = flag.Bool("update", false, "write what came out to testdata")

func TestMain(m *testing.M) { sandbox.Main(m) }

// moment is when the tests collect.
var moment = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// create creates the documents of a file of testdata.
func create(t *testing.T, cluster apitest.Cluster, file string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kube.NewClient(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range strings.Split(strings.ReplaceAll(string(text), "$ID", applyset.ID("production")), "---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		mapping, err := client.Mapper.RESTMapping(o.GroupVersionKind().GroupKind())
		if err != nil {
			t.Fatal(err)
		}
		cluster.Create(t, mapping.Resource.Resource, o)
	}
}

// TestCollect observes one cluster, one without any custom resource of ours in
// it, and one that does not answer; what was allotted to the last is known from
// the first.
func TestCollect(t *testing.T) {
	clusters := apitest.Start(t, 2)
	create(t, clusters[0], "cluster1.yaml")
	got := inventory.Collect(context.Background(), []inventory.Target{
		{Name: "cluster1", ClusterSet: "production", Config: clusters[0].Config},
		{Name: "cluster2", ClusterSet: "production", Config: clusters[1].Config},
		{Name: "cluster3", ClusterSet: "production", Err: errors.New(`no context "cluster3" in the kubeconfig`)},
	}, moment)
	for _, c := range got.Clusters {
		for _, s := range c.Services {
			if s.Name.Name == "kubernetes" {
				s.Ports[0].TargetPort = 6443 // the API server's own, another one in each run
			}
		}
	}
	text, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/collected.yaml"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
}

func TestUnreachable(t *testing.T) {
	cluster := apitest.Start(t, 1)[0]
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	stranger := rest.AnonymousClientConfig(cluster.Config)
	stranger.BearerToken = "wrong"
	distrusted := rest.CopyConfig(cluster.Config)
	distrusted.CAData = nil
	for want, config := range map[string]*rest.Config{
		"no answer within 500ms":                                                      {Host: silent.Addr().String()},
		"connection refused at " + closed.Addr().String():                             {Host: closed.Addr().String()},
		"the kubeconfig's credentials are refused":                                    stranger,
		"its certificate is signed by an authority that the kubeconfig does not name": distrusted,
		`User "nobody" cannot list resource`:                                          cluster.User(t, "nobody"),
	} {
		target := inventory.Target{Name: "c", ClusterSet: "production", Config: config}
		if strings.HasPrefix(want, "no answer") {
			target.Timeout = 500 * time.Millisecond
		}
		got := inventory.Collect(context.Background(), []inventory.Target{target}, moment).Clusters[0]
		if !strings.Contains(got.Unreachable, want) || strings.Contains(got.Unreachable, "\n") {
			t.Errorf("got  %q\nwant %q", got.Unreachable, want)
		}
		if len(got.Namespaces)+len(got.Services)+len(got.Kinds) > 0 {
			t.Errorf("%s: half of the facts are believed: %+v", want, got)
		}
	}
}
