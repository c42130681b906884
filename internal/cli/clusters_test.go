// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// The clusters of the guestbook scenario, by their contexts.
var contexts = []string{"local-cluster", "managed-cluster"}

// written are the resources that the stories look at.
var written = []schema.GroupVersionResource{
	v1alpha1.GroupVersion.WithResource("appliedbundles"),
	v1alpha1.GroupVersion.WithResource("dataplanes"),
	v1alpha1.GroupVersion.WithResource("serviceroutes"),
	{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceexports"},
	{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceimports"},
}

// TestClusterStories runs stories on two real API servers, one after the other:
// both read the same clusters. Fairlead has the rights of deploy/reconciler.yaml
// and no other.
func TestClusterStories(t *testing.T) {
	k := &kubernetes{t: t, clusters: map[string]apitest.Cluster{}, versions: map[string]map[string]string{}}
	configs := map[string]*rest.Config{}
	for i, c := range apitest.Start(t, len(contexts)) {
		c.Deployed(t, "reconciler.yaml")
		k.clusters[contexts[i]] = c
		configs[contexts[i]] = c.Account(t, "fairlead-system", "fairlead-reconciler")
	}
	down := maps.Clone(configs)
	down["managed-cluster"] = &rest.Config{Host: "https://127.0.0.1:1"}
	kubeconfig, kubeconfigDown := apitest.Kubeconfig(t, configs), apitest.Kubeconfig(t, down)
	cmds := commands()
	cmds["kube"] = k.run
	files, err := filepath.Glob("testdata/clusters/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		// A test of its own around each, so that one ends before the next begins.
		t.Run("on", func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Files:               []string{file},
				UpdateScripts:       *update,
				RequireExplicitExec: true,
				Cmds:                cmds,
				Setup: func(env *testscript.Env) error {
					err := setUp(env)
					env.Setenv("KUBECONFIG", kubeconfig)
					env.Setenv("KUBECONFIG_DOWN", kubeconfigDown)
					return err
				},
			})
		})
	}
}

// kubernetes is the administrator of the clusters.
type kubernetes struct {
	t        *testing.T
	lock     sync.Mutex
	clusters map[string]apitest.Cluster
	// versions of all objects of interest, as remembered.
	versions map[string]map[string]string
}

// run is the command of the stories:
//
//	kube create CLUSTER FILE      create what the file holds
//	kube remember NAME            remember every resource version
//	kube same NAME                fail when one differs from what is remembered
//	kube holds CLUSTER OBJECT     fail when resource/namespace/name is not there
func (k *kubernetes) run(ts *testscript.TestScript, neg bool, args []string) {
	k.lock.Lock()
	defer k.lock.Unlock()
	switch args[0] {
	case "create":
		k.clusters[args[1]].CreateAll(k.t, strings.TrimSpace(ts.ReadFile(args[2])))
	case "remember":
		k.versions[args[1]] = k.now()
	case "same":
		if diff := cmp.Diff(k.versions[args[1]], k.now()); diff != "" {
			ts.Fatalf("something was written (-before +after):\n%s", diff)
		}
	case "holds":
		all := k.clusters[args[1]].Versions(k.t, written...)
		if _, found := all[args[2]]; found == neg {
			ts.Fatalf("%s there: %v; there are %v", args[2], found, slices.Sorted(maps.Keys(all)))
		}
	default:
		ts.Fatalf("unknown: kube %s", args[0])
	}
}

func (k *kubernetes) now() map[string]string {
	all := map[string]string{}
	for name, c := range k.clusters {
		for object, version := range c.Versions(k.t, written...) {
			all[name+" "+object] = version
		}
	}
	return all
}
