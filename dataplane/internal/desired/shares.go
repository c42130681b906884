// SPDX-License-Identifier: Apache-2.0

package desired

import "sort"

// backend is one cluster's part of a service in one tier.
type backend struct {
	// weight relative to the tier's other backends.
	weight int
	// health is the ready part of the endpoints, 0 to 1; 1 while unknown.
	health float64
}

// shares computes what each backend of each tier keeps of the new connections.
// minHealthy is above 0 and at most 1. The result adds up to 1, or to 0 when
// nothing can serve and connections must be refused.
//
//	offered(0) = 1
//	s(b) = offered(t) · w(b) ÷ Σw      kept(b) = s(b) · min(1, h(b) ÷ minHealthy)
//	offered(t+1) = Σ (s(b) − kept(b))
//
// What the last tier leaves is added to the kept shares in proportion.
func shares(tiers [][]backend, minHealthy float64) [][]float64 {
	kept := make([][]float64, len(tiers))
	offered, total := 1.0, 0.0
	for t, tier := range tiers {
		kept[t] = make([]float64, len(tier))
		sum := 0
		for _, b := range tier {
			sum += b.weight
		}
		if sum == 0 {
			continue
		}
		left := 0.0
		for i, b := range tier {
			s := offered * float64(b.weight) / float64(sum)
			kept[t][i] = s * min(1, b.health/minHealthy)
			left += s - kept[t][i]
			total += kept[t][i]
		}
		offered = left
	}
	if total == 0 {
		return kept
	}
	for _, tier := range kept {
		for i := range tier {
			tier[i] /= total
		}
	}
	return kept
}

// slots cuts n slots in proportion to parts by largest remainder: every result
// differs from the exact proportion by less than one slot, and equal remainders
// go to the earlier part. All are zero when the parts are.
func slots(parts []float64, n int) []int {
	total := 0.0
	for _, p := range parts {
		total += p
	}
	out := make([]int, len(parts))
	if total == 0 {
		return out
	}
	rest := n
	remainder := make([]float64, len(parts))
	order := make([]int, len(parts))
	for i, p := range parts {
		exact := p / total * float64(n)
		// A share that is a whole number of slots but for the last bits of the
		// floating-point division must not lose one.
		const tolerance = 1e-6
		out[i] = int(exact + tolerance)
		remainder[i] = max(0, exact-float64(out[i]))
		rest -= out[i]
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return remainder[order[a]] > remainder[order[b]] })
	for i := range rest {
		out[order[i%len(order)]]++
	}
	return out
}
