// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// Table is the name of our table, of family ip.
const Table = "fairlead"

// Sets and maps.
const (
	setTunnels         = "tunnels"          // interfaces that are tunnels
	setRemote          = "remote"           // prefixes behind tunnels
	setOwn             = "own-addresses"    // of the tunnel interfaces
	setAdmitted        = "admitted"         // destinations that tunnels may reach
	setExported        = "exported"         // range of the export addresses
	setRefused         = "refused"          // ranges of the clusterset IPs
	setHairpin         = "hairpin"          // endpoints that call themselves
	mapIdentity        = "identity"         // prefixes to themselves
	mapTunnelAddresses = "tunnel-addresses" // interface to its address
	mapServices        = "services"         // clusterset IP and slot to target
	mapExports         = "exports"          // export address and slot to target
)

// set is a set or, where value is not empty, a map.
type set struct {
	name string
	// key is a type, or where typeOf is set an expression. value is likewise.
	key, value string
	typeOf     bool
	// interval says that keys are prefixes or hold a range.
	interval bool
}

// slotKey is the key of the maps of choices. The last part stands for the type
// of a number; exports are looked up with a hash, which is the same type.
var slotKey = fmt.Sprintf("ip daddr . meta l4proto . th dport . numgen random mod %d", desired.Slots)

// sets are all sets and maps of the table.
func sets() []set {
	return []set{
		{name: setTunnels, key: "ifname"},
		{name: setRemote, key: "ipv4_addr", interval: true},
		{name: setOwn, key: "ipv4_addr"},
		{name: setAdmitted, key: "ipv4_addr", interval: true},
		{name: setExported, key: "ipv4_addr", interval: true},
		{name: setRefused, key: "ipv4_addr", interval: true},
		{name: setHairpin, key: "ipv4_addr . ipv4_addr"},
		{name: mapIdentity, key: "ipv4_addr", value: "interval ipv4_addr", interval: true},
		{name: mapTunnelAddresses, key: "ifname", value: "ipv4_addr"},
		{name: mapServices, key: slotKey, value: "ip daddr . th dport", typeOf: true, interval: true},
		{name: mapExports, key: slotKey, value: "ip daddr . th dport", typeOf: true, interval: true},
	}
}

// chain is a chain and its rules. Without a hook it is one to jump to.
type chain struct {
	name     string
	kind     string
	hook     string
	priority int
	rules    []rule
}

// rule is one rule, and what it is for.
type rule struct{ text, purpose string }

// maxPurpose leaves room for the digest in the 128 bytes of a comment.
const maxPurpose = 100

// comment is the purpose and a digest of the text.
func (r rule) comment() string {
	sum := sha256.Sum256([]byte(r.text))
	return fmt.Sprintf("%.*s [%x]", maxPurpose, r.purpose, sum[:4])
}

// Priorities relative to those that others use: NAT at -100 (dstnat) and 100
// (srcnat), which kube-proxy and CNI plug-ins have. We come first, because the
// first translation of a connection stands.
const (
	beforeDNAT = -110
	afterDNAT  = -90
	beforeSNAT = 90
	mangle     = -150
)

// hashSeed is fixed, so that every gateway sends a connection to the same
// endpoint. Any number would do.
const hashSeed = 0x666c6561

// chains are all chains of the table. Those that are jumped to come first.
func chains() []chain {
	return []chain{
		{name: "refuse", rules: []rule{
			{"meta l4proto tcp reject with tcp reset", "refuse: TCP learns it at once"},
			{"reject with icmp port-unreachable", "refuse: others too"},
		}},
		{name: "from-tunnel", rules: []rule{
			{"ct state established,related accept", "connections that were admitted"},
			{"ip daddr @own-addresses icmp type echo-request accept", "the tunnel address answers pings"},
			{"ip daddr @own-addresses goto refuse", "and nothing else"},
			{"fib daddr type local goto refuse", "nor other addresses of the node, such as a bridge's among its pods"},
			{"ip daddr @admitted accept", "pods and export addresses"},
			{"goto refuse", "neither the node, its services nor its neighbours are for other clusters"},
		}},
		{name: "admit", kind: "filter", hook: "prerouting", priority: beforeDNAT, rules: []rule{
			{"iifname @tunnels goto from-tunnel", "what comes from other clusters"},
			{"ip saddr @remote ip daddr @admitted ct state new fib daddr type local goto refuse", "what a gateway passed on is for pods"},
		}},
		{name: "translate", kind: "nat", hook: "prerouting", priority: beforeDNAT, rules: []rule{
			{"iifname != @tunnels " + dnat(fmt.Sprintf("numgen random mod %d", desired.Slots), mapServices), "clusterset IPs, for pods"},
			{"iifname @tunnels " + dnat(fmt.Sprintf("jhash ip saddr . th sport mod %d seed %#x", desired.Slots, hashSeed), mapExports),
				"export addresses, the same at every gateway"},
		}},
		{name: "translate-local", kind: "nat", hook: "output", priority: beforeDNAT, rules: []rule{
			{dnat(fmt.Sprintf("numgen random mod %d", desired.Slots), mapServices), "clusterset IPs, for the node itself"},
		}},
		{name: "untranslated", kind: "filter", hook: "prerouting", priority: afterDNAT, rules: []rule{
			{"ip daddr @refused goto refuse", "clusterset IPs that nobody serves"},
			{"iifname @tunnels ip daddr @exported ip daddr != @own-addresses goto refuse", "export addresses that nobody serves"},
		}},
		{name: "untranslated-local", kind: "filter", hook: "output", priority: afterDNAT, rules: []rule{
			{"ip daddr @refused goto refuse", "clusterset IPs that nobody serves"},
		}},
		{name: "segment-size", kind: "filter", hook: "forward", priority: mangle, rules: []rule{
			{"iifname @tunnels tcp flags syn / syn,rst tcp option maxseg size set rt mtu", "what fits the tunnel, one way"},
			{"oifname @tunnels tcp flags syn / syn,rst tcp option maxseg size set rt mtu", "and the other"},
		}},
		{name: "source", kind: "nat", hook: "postrouting", priority: beforeSNAT, rules: []rule{
			{"ip saddr . ip daddr @hairpin masquerade", "an endpoint that calls itself gets the answer through the node"},
			{"ip daddr @remote snat ip prefix to ip saddr map @identity", "pods keep their address, whatever a CNI plug-in masquerades"},
			{"ip saddr @remote snat ip prefix to ip saddr map @identity", "and so do those of other clusters"},
			{"snat ip to oifname map @tunnel-addresses", "all others are the gateway to other clusters"},
		}},
	}
}

// dnat translates to what a map says for the address, port and slot.
func dnat(slot, name string) string {
	return "meta l4proto { tcp, udp } dnat ip to ip daddr . meta l4proto . th dport . " + slot + " map @" + name
}

// jsonType is how nft prints a type in JSON: typeof expressions by the types
// they have.
func (s set) jsonTypes() (key, value string) {
	key, value = s.key, strings.TrimPrefix(s.value, "interval ")
	if s.typeOf {
		key, value = "ipv4_addr . inet_proto . inet_service . integer", "ipv4_addr . inet_service"
	}
	return key, value
}
