// SPDX-License-Identifier: Apache-2.0

package allot

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/google/go-cmp/cmp"
)

var byString = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func pool(bits int, in string) Pool {
	return Pool{Range: netip.MustParsePrefix(in), Bits: bits}
}

// allot allots to names of the pool "test".
func (p Pool) allot(keys []string, ledger Ledger) (map[string]netip.Prefix, error) {
	var names []Name
	for _, k := range keys {
		names = append(names, Name{"test", k})
	}
	got, err := p.Allot(names, ledger)
	out := map[string]netip.Prefix{}
	for name, part := range got.Parts {
		out[name.Key] = part
	}
	return out, err
}

func ledgerOf(got map[string]netip.Prefix) Ledger {
	var all []inventory.Allocation
	for name, part := range got {
		all = append(all, inventory.Allocation{Pool: "test", Key: name, Value: part.Addr().String()})
	}
	return NewLedger(all)
}

func TestOrderOfNamesDoesNotMatter(t *testing.T) {
	a, err := pool(32, "243.0.0.0/24").allot([]string{"x", "y", "z"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pool(32, "243.0.0.0/24").allot([]string{"x", "z", "y", "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b, byString); diff != "" {
		t.Error(diff)
	}
}

func TestSurvivorsNeverMove(t *testing.T) {
	var names []string
	p := pool(32, "243.0.0.0/26")
	ledger := Ledger{}
	before := map[string]netip.Prefix{}
	for i := range 62 {
		names = append(names, fmt.Sprintf("svc-%d", i))
		got, err := p.allot(names, ledger)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[netip.Prefix]string{}
		for name, part := range got {
			if was, ok := before[name]; ok && was != part {
				t.Fatalf("%s moved from %s to %s when %s came", name, was, part, names[i])
			}
			if other := seen[part]; other != "" {
				t.Fatalf("%s and %s share %s", name, other, part)
			}
			seen[part] = name
		}
		before, ledger = got, ledgerOf(got)
	}
	_, err := p.allot(append(names, "one too many"), ledger)
	var exhausted *Exhausted
	if !errors.As(err, &exhausted) || !strings.Contains(err.Error(), "243.0.0.0/26") {
		t.Errorf("error %v does not name the range that is full", err)
	}
}

func TestLedgerIsNotBelievedBlindly(t *testing.T) {
	p := pool(32, "243.0.0.0/24")
	p.Reserved = []netip.Prefix{netip.MustParsePrefix("243.0.0.64/26")}
	ledger := NewLedger([]inventory.Allocation{
		{Pool: "test", Key: "a", Value: "243.0.0.7"}, {Pool: "test", Key: "b", Value: "243.0.0.7"},
		{Pool: "test", Key: "c", Value: "10.0.0.1"}, {Pool: "test", Key: "d", Value: "nonsense"},
		{Pool: "test", Key: "e", Value: "243.0.0.70"}, {Pool: "test", Key: "f", Value: "243.0.0.0"}})
	got, err := p.allot([]string{"a", "b", "c", "d", "e", "f"}, ledger)
	if err != nil {
		t.Fatal(err)
	}
	wanted := netip.MustParsePrefix("243.0.0.7/32")
	if (got["a"] == wanted) == (got["b"] == wanted) {
		t.Errorf("one of a and b keeps %s: %v", wanted, got)
	}
	for name, part := range got {
		if name > "b" && part == wanted || !p.Range.Contains(part.Addr()) || p.Reserved[0].Overlaps(part) || part.Addr().String() == "243.0.0.0" {
			t.Errorf("%s got %s", name, part)
		}
	}
}

func TestPrefixes(t *testing.T) {
	p := pool(16, "242.0.0.0/14")
	got, err := p.allot([]string{"c1", "c2", "c3", "c4"}, NewLedger([]inventory.Allocation{{Pool: "test", Key: "c4", Value: "242.2.0.0/16"}}))
	if err != nil {
		t.Fatal(err)
	}
	if got["c4"].String() != "242.2.0.0/16" || len(got) != 4 {
		t.Errorf("got %v", got)
	}
	if _, err := p.allot([]string{"1", "2", "3", "4", "5"}, nil); err == nil {
		t.Error("a fifth /16 was found in a /14")
	}
	six, err := pool(128, "fd00::/64").allot([]string{"x"}, nil)
	if err != nil || !p.Range.Addr().Is4() || !netip.MustParsePrefix("fd00::/64").Contains(six["x"].Addr()) {
		t.Errorf("got %v, %v", six, err)
	}
	if _, err := pool(16, "242.0.0.0/20").allot([]string{"c1"}, nil); err == nil {
		t.Error("a /16 was found in a /20")
	}
}
