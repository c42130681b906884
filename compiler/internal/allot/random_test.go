// SPDX-License-Identifier: Apache-2.0

package allot

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// history is a pool in motion: who has what now, and who ever had it.
type history struct {
	pool Pool
	has  map[string]netip.Prefix
	ever map[netip.Prefix]map[string]bool
}

// pools of every kind that is handed out, each nearly full in the end.
func pools() map[string]Pool {
	reserved := pool(32, "243.0.0.0/26")
	reserved.Reserved = []netip.Prefix{netip.MustParsePrefix("243.0.0.16/29")}
	return map[string]Pool{"addresses": pool(32, "243.0.0.0/26"), "IPv6": pool(128, "fd00::/122"),
		"prefixes": pool(16, "242.0.0.0/10"), "with reserved parts": reserved}
}

// step changes who is there and allots, with the ledger of the step before.
func (h *history) step(t *testing.T, random *rand.Rand) {
	t.Helper()
	names := slices.Sorted(maps.Keys(h.has))
	for range 1 + random.IntN(4) {
		name := fmt.Sprintf("n%d", random.IntN(80))
		if i := slices.Index(names, name); i >= 0 {
			names = slices.Delete(names, i, i+1)
		} else {
			names = append(names, name)
		}
	}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var ledger []inventory.Allocation
	for name, part := range h.has {
		ledger = append(ledger, inventory.Allocation{Pool: "test", Key: name, Value: part.String()})
	}
	got, err := h.pool.allot(names, NewLedger(ledger))
	var full *Exhausted
	if errors.As(err, &full) {
		return // the names that came are turned away
	}
	if err != nil {
		t.Fatal(err)
	}
	taken := map[netip.Prefix]string{}
	for name, part := range got {
		if was, ok := h.has[name]; ok && was != part {
			t.Fatalf("%s moved from %s to %s", name, was, part)
		}
		if other, ok := taken[part]; ok {
			t.Fatalf("%s and %s have %s", name, other, part)
		}
		taken[part] = name
		h.note(name, part)
	}
	h.has = got
}

func (h *history) note(name string, part netip.Prefix) {
	if h.ever[part] == nil {
		h.ever[part] = map[string]bool{}
	}
	h.ever[part][name] = true
}

// TestNothingMovesNothingCollides: over random adds and removes with the ledger
// carried between the steps. Without a ledger only a name can differ whose first
// choice somebody else had at some time.
func TestNothingMovesNothingCollides(t *testing.T) {
	for what, p := range pools() {
		random := rand.New(rand.NewPCG(7, 8))
		h := &history{pool: p, has: map[string]netip.Prefix{}, ever: map[netip.Prefix]map[string]bool{}}
		differ := 0
		for range 400 {
			h.step(t, random)
			names := slices.Sorted(maps.Keys(h.has))
			fresh, err := p.allot(names, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, part := range fresh {
				if part == h.has[name] {
					continue
				}
				differ++
				first, err := p.allot([]string{name}, nil)
				if err != nil {
					t.Fatal(err)
				}
				rivals := maps.Clone(h.ever[first[name]])
				delete(rivals, name)
				taken := slices.ContainsFunc(names, func(n string) bool { return n != name && fresh[n] == first[name] })
				if len(rivals) == 0 && !taken {
					t.Fatalf("%s: without a ledger %s has %s instead of %s, and nobody else ever had %s", what, name, part, h.has[name], first[name])
				}
			}
		}
		if differ == 0 {
			t.Errorf("%s: no names ever collided", what)
		}
	}
}

// The room that an error tells of is what was really handed out before.
func TestRoomIsCounted(t *testing.T) {
	within := func(p Pool, reserved ...string) Pool {
		for _, r := range reserved {
			p.Reserved = append(p.Reserved, netip.MustParsePrefix(r))
		}
		return p
	}
	all := pools()
	for what, p := range map[string]Pool{
		"all reserved": within(pool(32, "242.0.0.0/28"), "242.0.0.0/16"), "half": within(pool(32, "242.0.0.0/28"), "242.0.0.0/29", "242.0.0.0/29", "242.0.0.2/31"),
		"elsewhere": within(pool(32, "242.0.0.0/28"), "10.0.0.0/8"), "the last": within(pool(128, "fd00::/124"), "fd00::f/128"),
		"two addresses": pool(32, "242.0.0.0/31"), "one address": pool(32, "242.0.0.0/32"), "parts": within(pool(16, "242.0.0.0/12"), "242.3.0.0/24"), "too small": pool(16, "242.0.0.0/20"),
	} {
		all[what] = p
	}
	for what, p := range all {
		var names []string
		for n := 0; ; n++ {
			got, err := p.allot(append(names, fmt.Sprint(n)), nil)
			var full *Exhausted
			if errors.As(err, &full) {
				if full.Places != uint64(len(names)) {
					t.Errorf("%s: room for %d is told of, and %d were handed out", what, full.Places, len(names))
				}
				break
			}
			if err != nil || len(got) != n+1 {
				t.Fatalf("%s: %v, %v", what, got, err)
			}
			names = append(names, fmt.Sprint(n))
		}
	}
}
