// SPDX-License-Identifier: Apache-2.0

package allot

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
)

// maxSlots bounds the places of a range that are looked at: no set of names
// needs more, and IPv6 ranges have too many to count.
const maxSlots = 1 << 32

// Pool hands out parts of a range.
type Pool struct {
	// Range that everything handed out is part of.
	Range netip.Prefix
	// Bits is the length of the prefixes handed out; that of the range's
	// addresses: single addresses, of which the first and the last of the range
	// are left out, as they mean the network and everyone in it (RFC 919).
	Bits int
	// Reserved parts of the range are never handed out.
	Reserved []netip.Prefix
	// Owner returns the cluster that a name's allotment is of, empty where it is
	// nobody's more than others'. nil: all names are nobody's.
	Owner func(Name) string
}

// Allotment is what Allot handed out.
type Allotment struct {
	Parts map[Name]netip.Prefix
	// Rejected are claims of clusters that are not believed, by name.
	Rejected []Rejected
}

// Rejected is a claim that is not believed.
type Rejected struct {
	Name  Name
	Claim Claim
	// Taken is whom the part was given to instead; zero: nobody.
	Taken Name
	// Instead is what the name has, and By the claim that was believed: for
	// Taken where that is somebody.
	Instead netip.Prefix
	By      Claim
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
	verb := "are"
	if e.Wanted == 1 {
		verb = "is"
	}
	return fmt.Sprintf("range %s is exhausted: it has room for %d, and %d %s needed", e.Range, e.Places, e.Wanted, verb)
}

// Allot returns a part of the range for every name. It fails with *Exhausted
// where there are more names than places. Names that are new get theirs in the
// order given.
//
// Where clusters contradict each other, what more of them say is believed; then
// the part nearest to where the name's hash points, which nobody can choose and
// where most allotments are; then what the owner says. So one cluster alone can
// move nothing of others.
func (p Pool) Allot(names []Name, ledger Ledger) (Allotment, error) {
	candidates := p.candidates(names, ledger)
	parts, taken, all := hear(candidates, len(names), nil)
	believed := map[Name]Claim{}
	if !all {
		// Only where a claim is in vain does it matter which is better.
		p.rank(candidates)
		parts, taken, _ = hear(candidates, len(names), believed)
	}
	out := Allotment{Parts: parts}
	for _, name := range names {
		if _, ok := out.Parts[name]; ok {
			continue
		}
		part, ok := p.probe(name, taken)
		if !ok {
			return Allotment{}, &Exhausted{Range: p.Range, Wanted: len(names), Places: p.places()}
		}
		out.Parts[name], taken[part] = part, name
	}
	if all {
		return out, nil
	}
	for _, c := range candidates {
		if r, ok := reject(c, believed, out.Parts[c.name], taken); ok {
			out.Rejected = append(out.Rejected, r)
		}
	}
	return out, nil
}

// hear gives names what is claimed for them, the first claims first, notes whom
// it believed where that is asked for, and tells whether it believed all.
func hear(candidates []candidate, names int, believed map[Name]Claim) (parts map[Name]netip.Prefix, taken map[netip.Prefix]Name, all bool) {
	parts, taken, all = make(map[Name]netip.Prefix, names), make(map[netip.Prefix]Name, names), true
	for _, c := range candidates {
		_, known := parts[c.name]
		_, occupied := taken[c.part]
		if known || occupied || !c.valid {
			all = false
			continue
		}
		parts[c.name], taken[c.part] = c.part, c.name
		if believed != nil {
			believed[c.name] = c.claim
		}
	}
	return parts, taken, all
}

// candidate is a claim of a name that is wanted.
type candidate struct {
	name  Name
	claim Claim
	// part is valid where it can be handed out at all; read tells whether the
	// value is an address or a prefix.
	part        netip.Prefix
	valid, read bool
	distance    uint64
	owned       bool
}

// candidates lists all claims.
func (p Pool) candidates(names []Name, ledger Ledger) []candidate {
	out := make([]candidate, 0, len(names))
	seen := make(map[Name]bool, len(names))
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, claim := range ledger[name] {
			c := candidate{name: name, claim: claim}
			c.part, c.valid, c.read = p.parse(claim.Value)
			c.valid = c.valid && p.free(c.part)
			out = append(out, c)
		}
	}
	return out
}

// rank sorts claims, the best first.
func (p Pool) rank(claims []candidate) {
	for i := range claims {
		c := &claims[i]
		if c.valid {
			c.distance = p.distance(c.name, c.part)
		}
		if p.Owner != nil && len(c.claim.From) > 0 {
			c.owned = slices.Contains(c.claim.From, p.Owner(c.name))
		}
	}
	slices.SortStableFunc(claims, func(x, y candidate) int {
		if order := cmp.Or(cmp.Compare(y.claim.Voices(), x.claim.Voices()), cmp.Compare(x.distance, y.distance)); order != 0 {
			return order
		}
		return cmp.Or(first(x.owned, y.owned), cmp.Compare(x.name.Pool, y.name.Pool), cmp.Compare(x.name.Key, y.name.Key),
			cmp.Compare(x.claim.Value, y.claim.Value))
	})
}

// first orders what holds before what does not.
func first(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// reject tells whether a claim is to be shown as not believed. Parts of another
// range that nobody contradicts are what a change of the range leaves behind.
func reject(c candidate, believed map[Name]Claim, got netip.Prefix, taken map[netip.Prefix]Name) (Rejected, bool) {
	if len(c.claim.From) == 0 || c.valid && got == c.part {
		return Rejected{}, false
	}
	if _, contradicted := believed[c.name]; c.read && !c.valid && !contradicted {
		return Rejected{}, false
	}
	r := Rejected{Name: c.name, Claim: c.claim, Instead: got, By: believed[c.name]}
	if c.valid {
		if r.Taken = taken[c.part]; r.Taken != (Name{}) {
			r.By = believed[r.Taken]
		}
	}
	return r, true
}

// probe looks for a free place from the one that the name's hash points at.
func (p Pool) probe(name Name, taken map[netip.Prefix]Name) (netip.Prefix, bool) {
	slots := p.slots()
	if slots == 0 {
		return netip.Prefix{}, false
	}
	start := p.start(name)
	for i := range slots {
		part := p.slot((start + i) % slots)
		if _, ok := taken[part]; !ok && p.free(part) {
			return part, true
		}
	}
	return netip.Prefix{}, false
}

// start is the place that a name's hash points at, where the range has any.
func (p Pool) start(name Name) uint64 {
	sum := sha256.Sum256([]byte(name.Pool + "\x00" + name.Key))
	return binary.BigEndian.Uint64(sum[:8]) % p.slots()
}

// distance is how many places a part is behind the one that the name's hash
// points at.
func (p Pool) distance(name Name, part netip.Prefix) uint64 {
	return (p.place(part) + p.slots() - p.start(name)) % p.slots()
}

// place is which part of the range one is, from 0.
func (p Pool) place(part netip.Prefix) uint64 {
	spare := uint(p.Range.Addr().BitLen() - p.Bits)
	if part.Addr().Is4() {
		return uint64(number(part.Addr())-number(p.Range.Masked().Addr())) >> spare
	}
	offset := new(big.Int).SetBytes(part.Addr().AsSlice())
	offset.Sub(offset, new(big.Int).SetBytes(p.Range.Masked().Addr().AsSlice()))
	return offset.Rsh(offset, spare).Uint64()
}

// number is an IPv4 address as a number.
func number(a netip.Addr) uint32 {
	bytes := a.As4()
	return binary.BigEndian.Uint32(bytes[:])
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

// places counts the parts that can be handed out.
func (p Pool) places() uint64 {
	n := p.slots()
	for i, r := range p.Reserved {
		inside := func(o netip.Prefix) bool { return o.Overlaps(r) && o.Bits() < r.Bits() }
		switch {
		case !r.Overlaps(p.Range) || slices.ContainsFunc(p.Reserved, inside) || slices.Contains(p.Reserved[:i], r):
			continue // elsewhere, or counted already
		case r.Bits() <= p.Range.Bits():
			return 0
		}
		n -= min(n, 1<<min(max(p.Bits-r.Bits(), 0), 32))
	}
	if !p.single() || p.Bits-p.Range.Bits() < 2 {
		return n
	}
	for _, end := range []uint64{0, p.slots() - 1} {
		if !slices.ContainsFunc(p.Reserved, p.slot(end).Overlaps) {
			n -= min(n, 1)
		}
	}
	return n
}

func (p Pool) single() bool { return p.Bits == p.Range.Addr().BitLen() }

// slot returns a part by its place from 0.
func (p Pool) slot(i uint64) netip.Prefix {
	spare := uint(p.Range.Addr().BitLen() - p.Bits)
	if p.Range.Addr().Is4() {
		var bytes [4]byte
		binary.BigEndian.PutUint32(bytes[:], number(p.Range.Masked().Addr())+uint32(i<<spare))
		return netip.PrefixFrom(netip.AddrFrom4(bytes), p.Bits)
	}
	offset := new(big.Int).Lsh(new(big.Int).SetUint64(i), spare)
	sum := offset.Add(offset, new(big.Int).SetBytes(p.Range.Masked().Addr().AsSlice()))
	addr, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, p.Range.Addr().BitLen()/8)))
	return netip.PrefixFrom(addr, p.Bits)
}

// free tells whether a part of the range may be handed out at all.
func (p Pool) free(part netip.Prefix) bool {
	if p.single() && p.Bits-p.Range.Bits() >= 2 {
		if part.Addr() == p.Range.Masked().Addr() || p.slots() < maxSlots && p.place(part) == p.slots()-1 {
			return false
		}
	}
	return !slices.ContainsFunc(p.Reserved, part.Overlaps)
}

// parse reads a value of the ledger: a prefix of the pool's length in its
// range, or an address of the range.
func (p Pool) parse(value string) (part netip.Prefix, valid, read bool) {
	addr, err := netip.ParseAddr(value)
	if part = netip.PrefixFrom(addr, addr.BitLen()); err != nil {
		part, err = netip.ParsePrefix(value)
	}
	valid = err == nil && p.Range.IsValid() && part == part.Masked() && part.Bits() == p.Bits && p.Range.Contains(part.Addr())
	return part, valid, err == nil
}
