// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// shares is a State with one service, cut at a slot.
func shares(cut int) desired.State {
	s := desired.Service{Address: netip.MustParseAddr("243.0.0.1"), Transport: v1alpha1.TransportTCP, Port: 80}
	return desired.State{Services: []desired.Choice{
		{Service: s, First: 0, Last: cut - 1, Target: netip.MustParseAddrPort("10.1.0.5:8080")},
		{Service: s, First: cut, Last: desired.Slots - 1, Target: netip.MustParseAddrPort("242.2.0.1:80")},
	}}
}

// inPlace is the table as it is for a State.
func inPlace(s desired.State) observed {
	o := observed{sets: map[string]observedSet{}, chains: map[string]observedChain{}, content: want(s)}
	for _, x := range sets() {
		key, value := x.jsonTypes()
		o.sets[x.name] = observedSet{name: x.name, isMap: x.value != "", key: key, value: value, interval: x.interval}
	}
	for _, c := range chains() {
		o.chains[c.name] = observedChain{kind: c.kind, hook: c.hook, priority: c.priority, comments: comments(c)}
	}
	return o
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestDiff(t *testing.T) {
	remote := func(list ...string) desired.State {
		return desired.State{Filter: desired.Filter{Remote: prefixes(list...)}}
	}
	for name, c := range map[string]struct {
		from, to   desired.State
		now, later string
	}{
		"same": {shares(2500), shares(2500), "", ""},
		"shares move in one transaction": {shares(2500), shares(5000),
			"remove services{243.0.0.1 . tcp . 80 . 0-2499 : 10.1.0.5 . 8080}, remove services{243.0.0.1 . tcp . 80 . 2500-9999 : 242.2.0.1 . 80}, " +
				"add services{243.0.0.1 . tcp . 80 . 0-4999 : 10.1.0.5 . 8080}, add services{243.0.0.1 . tcp . 80 . 5000-9999 : 242.2.0.1 . 80}", ""},
		"a service goes later": {shares(1), desired.State{}, "",
			"remove services{243.0.0.1 . tcp . 80 . 0 : 10.1.0.5 . 8080}, remove services{243.0.0.1 . tcp . 80 . 1-9999 : 242.2.0.1 . 80}"},
		"a prefix is added before another goes": {remote("10.2.0.0/16"), remote("10.3.0.0/16", "10.4.0.1/32"),
			"add remote{10.3.0.0/16}, add remote{10.4.0.1}", "remove remote{10.2.0.0/16}"},
		"prefixes that overlap": {remote("10.2.0.0/16", "10.9.0.0/16"), remote("10.2.0.0/17"),
			"remove remote{10.2.0.0/16}, add remote{10.2.0.0/17}", "remove remote{10.9.0.0/16}"},
	} {
		t.Run(name, func(t *testing.T) {
			now, later := diff(want(c.to), inPlace(c.from))
			if now.String() != c.now || later.String() != c.later {
				t.Errorf("now %q, want %q; later %q, want %q", now, c.now, later, c.later)
			}
			if now.empty() != (c.now == "") || later.empty() != (c.later == "") {
				t.Error("empty does not agree")
			}
		})
	}
}

// TestDiffOfShape: a table of another shape or version is replaced as a whole,
// what is too much goes.
func TestDiffOfShape(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*observed)
		now, later string
	}{
		"no table":       {func(o *observed) { *o = observed{missing: true} }, "make the table, add services", ""},
		"set of a type":  {func(o *observed) { o.sets["remote"] = observedSet{name: "remote", key: "inet_service"} }, "replace the table", ""},
		"type not known": {func(o *observed) { o.sets["remote"] = observedSet{name: "remote", interval: true} }, "", ""},
		"other hook":     {func(o *observed) { o.chains["admit"] = observedChain{kind: "filter", hook: "input"} }, "replace the table", ""},
		"other rules": {func(o *observed) { x := o.chains["source"]; x.comments = x.comments[1:]; o.chains["source"] = x },
			"replace the table", ""},
		"no chain": {func(o *observed) { delete(o.chains, "source") }, "replace the table", ""},
		"other rules and too much": {func(o *observed) { delete(o.chains, "source"); o.content["remote"]["10.9.0.0/16"] = "" },
			"replace the table, whose sets or rules are others, add remote{10.9.0.0/16}", "remove remote{10.9.0.0/16}"},
		"too much":  {func(o *observed) { o.chains["old"] = observedChain{}; o.sets["older"] = observedSet{name: "older"} }, "", "remove chain old, remove set older"},
		"set gone":  {func(o *observed) { delete(o.sets, "hairpin"); delete(o.content, "hairpin") }, "replace the table", ""},
		"many gone": {func(o *observed) { o.content["services"] = elements{} }, "add services{243.0.0.1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			have := inPlace(shares(2500))
			c.change(&have)
			now, later := diff(want(shares(2500)), have)
			if !strings.HasPrefix(now.String(), c.now) || now.empty() != (c.now == "") || later.String() != c.later {
				t.Errorf("now %q, want %q; later %q, want %q", now, c.now, later, c.later)
			}
		})
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]byte(`{"nftables": [{"metainfo": {}},
		{"set": {"name": "remote", "type": "ipv4_addr", "flags": ["interval"], "elem": [{"prefix": {"addr": "10.2.0.0", "len": 16}}, "10.3.0.1"]}},
		{"set": {"name": "hairpin", "type": ["ipv4_addr", "ipv4_addr"], "elem": [{"elem": {"val": {"concat": ["10.1.0.5", "10.1.0.5"]}, "comment": "x"}}]}},
		{"set": {"name": "unknown", "type": "verdict", "elem": [{"jump": {"target": "x"}}]}},
		{"map": {"name": "services", "type": ["ipv4_addr", "inet_proto", "inet_service", "integer"], "map": "ipv4_addr . inet_service", "flags": ["interval"],
			"elem": [[{"concat": ["243.0.0.1", "tcp", 80, {"range": [0, 2499]}]}, {"concat": ["10.1.0.5", 8080]}]]}},
		{"chain": {"name": "admit", "type": "filter", "hook": "prerouting", "prio": -110}},
		{"rule": {"chain": "admit", "comment": "one"}}, {"rule": {"chain": "admit"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"remote": "10.2.0.0/16", "hairpin": "10.1.0.5 . 10.1.0.5", "services": "243.0.0.1 . tcp . 80 . 0-2499"} {
		if _, found := o.content[name][want]; !found {
			t.Errorf("%s: %v, want %s", name, o.content[name], want)
		}
	}
	if c := o.chains["admit"]; c.priority != -110 || len(c.comments) != 2 || c.comments[1] != "" {
		t.Errorf("chain %+v", c)
	}
	for _, bad := range []string{
		`{`, `{"nftables": [{"map": {"name": "services", "elem": ["x"]}}]}`,
		`{"nftables": [{"set": {"name": "remote", "elem": [{"what": 1}]}}]}`, `{"nftables": [{"set": {"name": "remote", "elem": [null]}}]}`,
		`{"nftables": [{"map": {"name": "services", "elem": [["x", {"concat": [true]}]]}}]}`,
	} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%s was understood", bad)
		}
	}
}

func TestComments(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range chains() {
		for _, r := range c.rules {
			comment := r.comment()
			if len(comment) > 128 || strings.Contains(comment, `"`) || len(r.purpose) > maxPurpose {
				t.Errorf("comment %q", comment)
			}
			if key := c.name + comment; seen[key] {
				t.Errorf("chain %s has %q twice", c.name, comment)
			} else {
				seen[key] = true
			}
		}
	}
}

func TestManyElementsAreCounted(t *testing.T) {
	var list []netip.Prefix
	for i := range byte(maxShown + 1) {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, i, 0, 0}), 16))
	}
	now, _ := diff(want(desired.State{Filter: desired.Filter{Remote: list}}), inPlace(desired.State{}))
	if now.String() != "add 9 elements" {
		t.Error(now)
	}
}

func TestParseGeneration(t *testing.T) {
	for _, bad := range [][]byte{nil, make([]byte, 20), append(generationRequest(), 1, 2, 3, 4)} {
		if g, err := parseGeneration(bad); err == nil {
			t.Errorf("%v is generation %d", bad, g)
		}
	}
}
