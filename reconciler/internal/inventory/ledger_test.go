// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// says is a cluster with one Dataplane that lists one peer, and one route to a
// service of that peer.
func says(cluster, peer, key, virtual string) observation {
	var o observation
	o.cluster.Name = cluster
	o.own.dataplanes = []v1alpha1.Dataplane{{Spec: v1alpha1.DataplaneSpec{GlobalCIDR: v1alpha1.CIDR("242." + cluster[1:] + ".0.0/16"),
		Peers: []v1alpha1.Peer{{Cluster: peer, Gateway: "gw", PublicKey: key}}}}}
	o.own.routes = []v1alpha1.ServiceRoute{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}, Spec: v1alpha1.ServiceRouteSpec{Service: "web",
		Import: &v1alpha1.RouteImport{Addresses: []v1alpha1.Address{v1alpha1.Address(virtual)},
			Tiers: []v1alpha1.RouteTier{{Backends: []v1alpha1.RouteBackend{{Cluster: peer, Address: "242.3.0.7"}}}}}}}}
	return o
}

// TestWhoSaysSo: the ledger has every claim with everyone who makes it.
// Nobody speaks of itself as of a peer, nor of clusters that do not take part.
func TestWhoSaysSo(t *testing.T) {
	got := ledger([]observation{
		says("c1", "c3", "lie", "243.0.0.9"),
		says("c2", "c3", "key", "243.0.0.1"),
		says("c3", "c3", "mine", "243.0.0.1"),
		says("c4", "c9", strings.Repeat("x", 1<<20), "243.0.0.1"),
	})
	var lines []string
	for _, a := range got {
		if len(a.Value) > longestValue {
			t.Errorf("a value of %d bytes", len(a.Value))
		}
		lines = append(lines, fmt.Sprintf("%s %s %.16s %s", a.Pool, a.Key, a.Value, strings.Join(a.From, "+")))
	}
	want := []string{
		"clusterset shop/web 243.0.0.1 c2+c3+c4", "clusterset shop/web 243.0.0.9 c1",
		"export/c3 shop/web 242.3.0.7 c1+c2",
		"global c1 242.1.0.0/16 c1", "global c2 242.2.0.0/16 c2", "global c3 242.3.0.0/16 c3", "global c4 242.4.0.0/16 c4",
		"key/c3 gw key c2", "key/c3 gw lie c1",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if !slices.IsSortedFunc(got, func(a, b inventory.Allocation) int { return strings.Compare(a.Pool+a.Key, b.Pool+b.Key) }) {
		t.Error("the ledger is not sorted")
	}
}

// TestOneClusterSaysLittle: however many objects a cluster has for a service, it
// gives few values.
func TestOneClusterSaysLittle(t *testing.T) {
	many := says("c1", "c2", "key", "243.0.0.0")
	route := many.own.routes[0]
	for i := range 1000 {
		r := *route.DeepCopy()
		r.Spec.Import.Addresses[0] = v1alpha1.Address(fmt.Sprintf("243.0.%d.%d", i>>8, i&255))
		many.own.routes = append(many.own.routes, r)
	}
	n := 0
	for _, a := range ledger([]observation{many, says("c2", "c1", "key", "243.0.9.9")}) {
		if a.Pool == inventory.PoolClusterSet {
			n++
		}
	}
	if n != mostValues+1 {
		t.Errorf("%d values of one service", n)
	}
}

// TestBothFamilies: of a dual-stack service each address is of its own pool.
func TestBothFamilies(t *testing.T) {
	o := says("c1", "c2", "key", "243.0.0.1")
	in := o.own.routes[0].Spec.Import
	in.Addresses = append(in.Addresses, "fd00::1")
	got := map[string]string{}
	for _, a := range ledger([]observation{o}) {
		got[a.Pool] = a.Value
	}
	if got[inventory.PoolClusterSet] != "243.0.0.1" || got[inventory.PoolClusterSet6] != "fd00::1" {
		t.Errorf("got %v", got)
	}
}
