// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"slices"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// Size says how large a workload is.
type Size struct {
	// Clusters, an even number from 12 to 254: each half needs the exporters
	// and the consumers of one policy.
	Clusters int
	Policies int
}

// W is the workload that the project's figures speak of.
func W() Size { return Size{Clusters: 50, Policies: 1000} }

// Tenfold is ten times W, in four times as many clusters. Its output is more
// than ten times as large: there are ten times as many namespaces, and some of
// Istio's objects list those of their cluster.
func Tenfold() Size { return Size{Clusters: 200, Policies: 10_000} }

// Small is enough for a test that compiles often.
func Small() Size { return Size{Clusters: 12, Policies: 40} }

// Workload is a repository and what its clusters look like.
type Workload struct {
	Size
	// Files are the caller's own: an edit of one is a write to the map.
	Files     fstest.MapFS
	Inventory inventory.Inventory
}

// New returns the workload of a size.
func New(size Size) Workload {
	w := Workload{Size: size, Files: fstest.MapFS{"clusterset.yaml": {Data: clusterSet(size)}}}
	for i := range size.Policies {
		w.Edit(i, 0)
	}
	w.Inventory = inventory.Inventory{APIVersion: inventory.APIVersion, Kind: inventory.Kind}
	for i := range size.Clusters {
		w.Inventory.Clusters = append(w.Inventory.Clusters, w.observed(i))
	}
	for i := range size.Policies {
		w.observe(i)
	}
	return w
}

// Edit writes an edition of a policy; editions differ in their weights.
func (w Workload) Edit(policy, edition int) {
	w.Files[FileOf(policy)] = &fstest.MapFile{Data: w.Policy(policy, edition)}
}

// FileOf is the name of the file of a policy.
func FileOf(policy int) string {
	return fmt.Sprintf("policies/%s-%s.yaml", namespaceOf(policy), serviceOf(policy))
}

// servicesPerNamespace is how many services one team has.
const servicesPerNamespace = 20

func namespaceOf(policy int) string { return fmt.Sprintf("team-%03d", policy/servicesPerNamespace) }

func serviceOf(policy int) string { return fmt.Sprintf("service-%05d", policy) }

// meshed tells whether a cluster runs Istio: every second does.
func meshed(cluster int) bool { return cluster%2 == 1 }

func clusterName(cluster int) string { return fmt.Sprintf("cluster-%03d", cluster) }

// The neighbours of a policy's first cluster, in its half: where the service
// runs, and where its callers are. Two clusters are both.
var (
	exporterOffsets = []int{0, 1, 2}
	consumerOffsets = []int{0, 1, 3, 4, 5}
)

// stride spreads the policies over the clusters; it has no divisor in common
// with the usual numbers of clusters.
const stride = 7

// clustersOf returns the clusters of a policy that are offset from its first.
func (w Workload) clustersOf(policy int, offsets []int) []int {
	half := w.Clusters / 2
	out := make([]int, len(offsets))
	for i, offset := range offsets {
		out[i] = 2*((policy/2*stride+offset)%half) + policy%2
	}
	return out
}

// Exporters and Consumers are the clusters of a policy by name.
func (w Workload) Exporters(policy int) []string { return named(w.clustersOf(policy, exporterOffsets)) }

// Consumers are the clusters whose pods call the service of a policy.
func (w Workload) Consumers(policy int) []string { return named(w.clustersOf(policy, consumerOffsets)) }

func named(clusters []int) []string {
	out := make([]string, len(clusters))
	for i, c := range clusters {
		out[i] = clusterName(c)
	}
	return out
}

// observed is a cluster with every namespace and kind and its gateway's key.
func (w Workload) observed(cluster int) inventory.Cluster {
	out := inventory.Cluster{Name: clusterName(cluster), Kinds: kinds(),
		Nodes: []inventory.Node{{Name: nodeOf(cluster), PublicKey: publicKey(cluster), Addresses: []string{underlay(cluster)}}}}
	if meshed(cluster) {
		out.Istio = "1.31.1"
	}
	for i := 0; i < w.Policies; i += servicesPerNamespace {
		out.Namespaces = append(out.Namespaces, namespaceOf(i))
	}
	out.Namespaces = append(out.Namespaces, "default", "istio-system", "kube-system")
	slices.Sort(out.Namespaces)
	return out
}

// observe adds the Service of a policy to the clusters that it runs in.
func (w Workload) observe(policy int) {
	for _, c := range w.clustersOf(policy, exporterOffsets) {
		s := inventory.Service{Name: inventory.Name{Namespace: namespaceOf(policy), Name: serviceOf(policy)},
			Ports: []inventory.Port{{Name: "http", Port: 8080, Transport: "TCP"}, {Name: "grpc", Port: 9090, Transport: "TCP"}}}
		for _, version := range []string{"v1", "v2"} {
			s.Workloads = append(s.Workloads, inventory.Workload{ServiceAccount: serviceOf(policy), Sidecar: meshed(c),
				Labels: map[string]string{"app": serviceOf(policy), "version": version}})
		}
		w.Inventory.Clusters[c].Services = append(w.Inventory.Clusters[c].Services, s)
	}
}
