// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

var (
	now  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	here = netip.MustParseAddrPort("192.0.2.1:51820")
	away = netip.MustParseAddrPort("192.0.2.9:51820")
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// there is a peer as it was set, with a session.
func there(key string, allowed ...string) peer {
	return peer{key: key, endpoint: here, allowed: prefixes(allowed...), keepalive: desired.Keepalive, handshake: now.Add(-time.Minute)}
}

func TestDiff(t *testing.T) {
	want := desired.Tunnel{Port: 51820, Peers: []desired.Peer{
		{PublicKey: "A", Endpoint: here, AllowedIPs: prefixes("10.2.0.0/16", "242.2.0.0/16")},
		{PublicKey: "B", Endpoint: here, AllowedIPs: prefixes("10.3.0.0/16")},
	}}
	a, b := there("A", "10.2.0.0/16", "242.2.0.0/16"), there("B", "10.3.0.0/16")
	for name, c := range map[string]struct {
		have       device
		memory     memory
		add, later string
	}{
		"same":       {device{"K", 51820, []peer{a, b}}, nil, "", ""},
		"new device": {device{"", 0, nil}, nil, "set the key and listen on port 51820; add peer A at 192.0.2.1:51820 with AllowedIPs 10.2.0.0/16,242.2.0.0/16; add peer B at 192.0.2.1:51820 with AllowedIPs 10.3.0.0/16", ""},
		"other key":  {device{"L", 51820, []peer{a, b}}, nil, "set the key and listen on port 51820", ""},
		"other port": {device{"K", 1, []peer{a, b}}, nil, "set the key and listen on port 51820", ""},
		"prefix missing": {device{"K", 51820, []peer{there("A", "10.2.0.0/16"), b}}, nil,
			"change peer A with AllowedIPs 242.2.0.0/16", ""},
		"prefix too many": {device{"K", 51820, []peer{a, there("B", "10.3.0.0/16", "10.4.0.0/16")}}, nil,
			"", "drop AllowedIPs 10.4.0.0/16 of peer B"},
		"prefix at another": {device{"K", 51820, []peer{there("A", "10.2.0.0/16"), there("B", "10.3.0.0/16", "242.2.0.0/16")}}, nil,
			"change peer A with AllowedIPs 242.2.0.0/16", ""},
		"replaced key": {device{"K", 51820, []peer{there("Z", "10.2.0.0/16", "242.2.0.0/16"), b}}, nil,
			"add peer A at 192.0.2.1:51820 with AllowedIPs 10.2.0.0/16,242.2.0.0/16", "remove peer Z"},
		"no keepalive": {device{"K", 51820, []peer{{key: "A", endpoint: here, allowed: a.allowed, handshake: now}, b}}, nil, "change peer A", ""},
		"roamed":       {device{"K", 51820, []peer{moved(a, now), b}}, memory{"A": here}, "", ""},
		"roamed, after a start": {device{"K", 51820, []peer{moved(a, now), b}}, nil,
			"", ""},
		"new endpoint wanted": {device{"K", 51820, []peer{moved(a, now), b}}, memory{"A": away},
			"change peer A at 192.0.2.1:51820", ""},
		"no session": {device{"K", 51820, []peer{moved(a, now.Add(-time.Hour)), b}}, nil, "change peer A at 192.0.2.1:51820", ""},
	} {
		t.Run(name, func(t *testing.T) {
			add, later := differ{"K", c.memory, now}.diff(want, c.have)
			if got := list(add); got != c.add {
				t.Errorf("add %q, want %q", got, c.add)
			}
			if got := list(later); got != c.later {
				t.Errorf("later %q, want %q", got, c.later)
			}
		})
	}
}

// moved is a peer that sends from elsewhere.
func moved(p peer, handshake time.Time) peer {
	p.endpoint, p.handshake = away, handshake
	return p
}

func list(changes []change) string {
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprint(c))
	}
	return strings.Join(out, "; ")
}
