// SPDX-License-Identifier: Apache-2.0

package allot

import (
	"cmp"
	"math"
	"slices"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// Name is one that an allotment is for, in its pool.
type Name struct{ Pool, Key string }

// Claim says that a name was allotted a value before.
type Claim struct {
	Value string
	// From lists the clusters whose objects say so. None: the claim comes from
	// elsewhere, and is trusted.
	From []string
}

// trusted is more voices than clusters can have.
const trusted = math.MaxInt

// Voices counts who says so.
func (c Claim) Voices() int {
	if len(c.From) == 0 {
		return trusted
	}
	return len(c.From)
}

// Ledger finds what was handed out before.
type Ledger map[Name][]Claim

// NewLedger indexes allocations. A name may have several values: of different
// ranges, or because clusters contradict each other. Those with the most
// voices come first.
func NewLedger(allocations []inventory.Allocation) Ledger {
	l := make(Ledger, len(allocations))
	// Nearly all names have one claim: those stand beside each other.
	first := make([]Claim, 0, len(allocations))
	for _, a := range allocations {
		name := Name{a.Pool, a.Key}
		claims := l[name]
		if claims == nil {
			first = append(first, Claim{Value: a.Value, From: slices.Clone(a.From)})
			l[name] = first[len(first)-1 : len(first) : len(first)]
			continue
		}
		i := slices.IndexFunc(claims, func(c Claim) bool { return c.Value == a.Value })
		switch {
		case i < 0:
			l[name] = append(claims, Claim{Value: a.Value, From: slices.Clone(a.From)})
		case len(a.From) == 0 || len(claims[i].From) == 0:
			claims[i].From = nil
		default:
			claims[i].From = append(claims[i].From, a.From...)
		}
	}
	for _, claims := range l {
		for i := range claims {
			slices.Sort(claims[i].From)
			claims[i].From = slices.Compact(claims[i].From)
		}
		slices.SortFunc(claims, func(x, y Claim) int {
			return cmp.Or(cmp.Compare(y.Voices(), x.Voices()), cmp.Compare(x.Value, y.Value))
		})
	}
	return l
}

// Agreed returns the value that more than half of those who speak of a name
// give, at least two of them, so that no single cluster can decide for others;
// or a trusted one. Empty where there is none.
func (l Ledger) Agreed(name Name) string {
	claims, speakers := l[name], map[string]bool{}
	for _, c := range claims {
		for _, from := range c.From {
			speakers[from] = true
		}
	}
	if len(claims) == 0 {
		return ""
	}
	if n := claims[0].Voices(); n == trusted || n >= 2 && 2*n > len(speakers) {
		return claims[0].Value
	}
	return ""
}

// Told returns what the objects of a cluster say of a name, empty where they
// say nothing.
func (l Ledger) Told(name Name, cluster string) string {
	for _, c := range l[name] {
		if slices.Contains(c.From, cluster) {
			return c.Value
		}
	}
	return ""
}
