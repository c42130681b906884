// SPDX-License-Identifier: Apache-2.0

package allot

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// maxSlots bounds the places of a range that are looked at: no set of names
// needs more, and IPv6 ranges have too many to count.
const maxSlots = 1 << 32

// Pool hands out parts of a range.
type Pool struct {
	// Name of the pool in the ledger.
	Name string
	// Range that everything handed out is part of.
	Range netip.Prefix
	// Bits is the length of the prefixes handed out; that of the range's
	// addresses: single addresses, of which the first and the last of the range
	// are left out, as they mean the network and everyone in it (RFC 919).
	Bits int
	// Reserved parts of the range are never handed out.
	Reserved []netip.Prefix
}

// Ledger finds what was handed out before.
type Ledger map[ledgerKey][]string

type ledgerKey struct{ pool, key string }

// NewLedger indexes allocations. A name may have several values, of different
// ranges.
func NewLedger(allocations []inventory.Allocation) Ledger {
	l := Ledger{}
	for _, a := range allocations {
		k := ledgerKey{a.Pool, a.Key}
		l[k] = append(l[k], a.Value)
	}
	for _, values := range l {
		slices.Sort(values)
	}
	return l
}

// Get returns the first value of a name, empty where there is none.
func (l Ledger) Get(pool, key string) string {
	if values := l[ledgerKey{pool, key}]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Exhausted says that a range has no place left.
type Exhausted struct {
	Range netip.Prefix
	// Wanted and Places count names and what the range holds for them.
	Wanted int
	Places uint64
}

// Error names the range.
func (e *Exhausted) Error() string {
	return fmt.Sprintf("range %s is exhausted: it has room for %d, and %d are needed", e.Range, e.Places, e.Wanted)
}

// Allot returns a part of the range for every name. It fails with *Exhausted
// where there are more names than places.
func (p Pool) Allot(names []string, ledger Ledger) (map[string]netip.Prefix, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	out := make(map[string]netip.Prefix, len(names))
	taken := make(map[netip.Prefix]bool, len(names))
	for _, name := range names {
		for _, value := range ledger[ledgerKey{p.Name, name}] {
			if part, ok := p.parse(value); ok && p.free(part) && !taken[part] {
				out[name], taken[part] = part, true
				break
			}
		}
	}
	for _, name := range names {
		if _, ok := out[name]; ok {
			continue
		}
		part, ok := p.probe(name, taken)
		if !ok {
			return nil, &Exhausted{Range: p.Range, Wanted: len(names), Places: p.places()}
		}
		out[name], taken[part] = part, true
	}
	return out, nil
}

// probe looks for a free place from the one that the name's hash points at.
func (p Pool) probe(name string, taken map[netip.Prefix]bool) (netip.Prefix, bool) {
	slots := p.slots()
	if slots == 0 {
		return netip.Prefix{}, false
	}
	sum := sha256.Sum256([]byte(p.Name + "\x00" + name))
	first := binary.BigEndian.Uint64(sum[:8]) % slots
	for i := range slots {
		part := p.slot((first + i) % slots)
		if p.free(part) && !taken[part] {
			return part, true
		}
	}
	return netip.Prefix{}, false
}

// slots counts the parts of the range, usable or not.
func (p Pool) slots() uint64 {
	switch spare := p.Bits - p.Range.Bits(); {
	case !p.Range.IsValid() || spare < 0:
		return 0
	case spare >= 32:
		return maxSlots
	default:
		return 1 << spare
	}
}

// places counts the parts that can be handed out, reserved ones included.
func (p Pool) places() uint64 {
	n := p.slots()
	if p.single() && n >= 2 {
		n -= 2
	}
	return n
}

func (p Pool) single() bool { return p.Bits == p.Range.Addr().BitLen() }

// slot returns a part by its place from 0.
func (p Pool) slot(i uint64) netip.Prefix {
	offset := new(big.Int).Lsh(new(big.Int).SetUint64(i), uint(p.Range.Addr().BitLen()-p.Bits))
	sum := offset.Add(offset, new(big.Int).SetBytes(p.Range.Masked().Addr().AsSlice()))
	addr, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, p.Range.Addr().BitLen()/8)))
	return netip.PrefixFrom(addr, p.Bits)
}

// free tells whether a part of the range may be handed out at all.
func (p Pool) free(part netip.Prefix) bool {
	if p.single() && p.Bits-p.Range.Bits() >= 2 {
		if part.Addr() == p.slot(0).Addr() || p.slots() < maxSlots && part.Addr() == p.slot(p.slots()-1).Addr() {
			return false
		}
	}
	return !slices.ContainsFunc(p.Reserved, part.Overlaps)
}

// parse reads a value of the ledger: a prefix of the pool's length in its
// range, or an address of the range.
func (p Pool) parse(value string) (netip.Prefix, bool) {
	part, err := netip.ParsePrefix(value)
	if addr, err2 := netip.ParseAddr(value); err2 == nil {
		part, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	ok := err == nil && p.Range.IsValid() && part == part.Masked() && part.Bits() == p.Bits && p.Range.Contains(part.Addr())
	return part, ok
}
