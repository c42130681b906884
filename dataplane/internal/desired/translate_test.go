// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// What the agent cannot do it says, and sends nothing that would be answered to
// somebody else; a peer whose addresses are its own goes on.
func TestCallersThatWouldHaveToBeTranslated(t *testing.T) {
	in := input("n1")
	in.Dataplane.Spec.Peers = append(in.Dataplane.Spec.Peers, v1alpha1.Peer{Cluster: "c3", Gateway: "gw-a", PublicKey: keyB,
		Endpoints: []string{"198.51.100.3:51820"}, TunnelAddress: "242.3.255.1", Prefixes: []v1alpha1.CIDR{"242.3.0.0/16"}})
	in.Dataplane.Spec.Translation = &v1alpha1.CallerTranslation{Mode: v1alpha1.TranslatePool, Toward: []string{"c3"},
		Egress: []v1alpha1.EgressAddresses{{Addresses: []v1alpha1.Address{"242.1.0.9"}}}}
	got := Make(in)
	want := "peer c3/gw-a: addresses of this cluster are somebody else's in c3, and this version does not translate callers (translation pool): nothing is sent there"
	if len(got.Problems) != 1 || got.Problems[0] != want || got.Complete() {
		t.Errorf("problems: %s", strings.Join(got.Problems, "\n"))
	}
	if len(got.Tunnel.Peers) != 1 || got.Tunnel.Peers[0].PublicKey != keyA {
		t.Errorf("peers: %+v", got.Tunnel.Peers)
	}
	hidden := netip.MustParsePrefix("242.3.0.0/16")
	var routes []Route
	for _, r := range got.Routes {
		if r.Prefix == hidden {
			routes = append(routes, r)
		}
	}
	if !slices.Equal(routes, []Route{{Prefix: hidden, Unreachable: true}}) {
		t.Errorf("packets for c3 may leave: %+v", routes)
	}
}
