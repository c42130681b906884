// SPDX-License-Identifier: Apache-2.0

package simulate

import "math/big"

// envoyThreshold is the part of its endpoints that must be ready for a priority
// of Envoy to keep all of its load: the inverse of the overprovisioning factor
// of 1.4 (Envoy, architecture overview, priority levels).
var envoyThreshold = big.NewRat(5, 7)

// EnvoyRounding is by how much a share of a chain of n priorities can differ
// from what is computed here: Envoy cuts availabilities and loads to whole
// percents, and what that leaves goes to the first priority that has any.
func EnvoyRounding(n int) *big.Rat { return big.NewRat(int64(2*n), 100) }

// availability is the part of the load that a priority can take, by the ready
// part of its endpoints.
func availability(ready *big.Rat) *big.Rat {
	return least(one(), new(big.Rat).Quo(ready, envoyThreshold))
}

// priorityLoad divides requests between priorities as Envoy does, but for the
// rounding: each takes as much as it can of what the ones before it left; where
// all together can take less than everything, they share in proportion. With
// nothing available anywhere, nobody gets anything: istiod disables the panic
// threshold for Services whose endpoints that are not ready it sends.
func priorityLoad(available []*big.Rat) []*big.Rat {
	total := zero()
	for _, a := range available {
		total.Add(total, a)
	}
	out, left := make([]*big.Rat, len(available)), one()
	for i, a := range available {
		out[i] = zero()
		if total.Sign() == 0 {
			continue
		}
		if total.Cmp(one()) < 0 {
			a = new(big.Rat).Quo(a, total)
		}
		out[i] = least(left, a)
		left = new(big.Rat).Sub(left, out[i])
	}
	return out
}
