// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"testing"
)

// Every feature stands in the matrix once, every degradation has its text, and
// nothing is both degraded and refused. What gateways have no words for shares
// a code.
func TestMatrixIsWhole(t *testing.T) {
	rows, codes, outside := map[Feature]int{}, map[string]bool{}, map[string]bool{}
	for _, c := range northSouthCodes() {
		outside[c.ID] = true
	}
	for _, r := range Matrix() {
		rows[r.Feature]++
		if codes[r.Code] && !outside[r.Code] || !regexp.MustCompile(`^FL14\d\d$`).MatchString(r.Code) {
			t.Errorf("%s has the code %s", r.Feature, r.Code)
		}
		codes[r.Code] = true
		for _, p := range Providers() {
			s := r.Of(p)
			if s.Degradation != "" && (s.Refusal != "" || !known(s.Degradation)) {
				t.Errorf("%s of %s: %+v", r.Feature, p, s)
			}
			if (s.Since == "") != (s.Before == "") {
				t.Errorf("%s of %s has a version or its reason, but not both", r.Feature, p)
			}
			if s.Refusal != "" && s.Fix == "" {
				t.Errorf("%s of %s is refused without a way out", r.Feature, p)
			}
		}
	}
	for f, n := range rows {
		if n != 1 {
			t.Errorf("%s stands in the matrix %d times", f, n)
		}
	}
}

// meaning is what a request gets while some clusters are dead, as the meaning
// of a policy says.
func meaning(r Rule, dead map[string]bool) map[string]float64 {
	kept, offered, sum := map[string]float64{}, 1.0, 0.0
	for _, tier := range r.Tiers {
		total := int64(0)
		for _, b := range tier {
			total += b.Weight
		}
		next := 0.0
		for _, b := range tier {
			s := offered * float64(b.Weight) / float64(total)
			if dead[b.Cluster] {
				next += s
				continue
			}
			kept[b.Cluster] += s
			sum += s
		}
		offered = next
	}
	for c := range kept {
		kept[c] /= sum
	}
	return kept
}

// byChains is what a request gets when each chain gives its share to the first
// of its tiers that has anyone alive.
func byChains(r Rule, dead map[string]bool) map[string]float64 {
	out, sum := map[string]float64{}, 0.0
	for _, c := range r.Chains() {
		for _, tier := range append([][]Backend{{c.Head}}, c.Tiers...) {
			alive := int64(0)
			for _, b := range tier {
				if !dead[b.Cluster] {
					alive += b.Weight
				}
			}
			if alive == 0 {
				continue
			}
			for _, b := range tier {
				if !dead[b.Cluster] {
					share := float64(c.Head.Weight) * float64(b.Weight) / float64(alive)
					out[b.Cluster] += share
					sum += share
				}
			}
			break
		}
	}
	for c := range out {
		out[c] /= sum
	}
	return out
}

// Where health is 0 or 1 and no lower tier is shared, chains give exactly what
// the policy means, whoever is dead.
func TestChainsMeanWhatTheRuleMeans(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		r, n := Rule{}, 0
		add := func(tier int) {
			n++
			r.Tiers[tier] = append(r.Tiers[tier], Backend{Cluster: fmt.Sprintf("c%d", n), Weight: 1 + random.Int64N(9)})
		}
		for tier := range 1 + random.IntN(3) {
			r.Tiers = append(r.Tiers, nil)
			add(tier)
			for tier == 0 && random.IntN(2) == 0 && n < 4 {
				add(tier)
			}
		}
		for state := range 1 << n {
			dead := map[string]bool{}
			for i := range n {
				dead[fmt.Sprintf("c%d", i+1)] = state&(1<<i) != 0
			}
			want, got := meaning(r, dead), byChains(r, dead)
			for i := range n {
				c := fmt.Sprintf("c%d", i+1)
				if math.Abs(want[c]-got[c]) > 1e-9 {
					t.Fatalf("tiers %v, dead %v: %s gets %v by chains and should get %v", r.Tiers, dead, c, got[c], want[c])
				}
			}
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, weights := range [][]int64{{1}, {1, 1, 1}, {75, 15, 10}, {1, 999999, 1}, {3, 3, 3, 2}} {
		var tier []Backend
		for _, w := range weights {
			tier = append(tier, Backend{Weight: w})
		}
		sum := int32(0)
		for _, s := range shares(tier) {
			sum += s
		}
		if sum != 1000 {
			t.Errorf("the shares of %v are %v", weights, shares(tier))
		}
	}
}

func TestSiblingsStandForTheirCluster(t *testing.T) {
	v := func(version string) map[string]string { return map[string]string{"version": version} }
	r := Rule{Tiers: [][]Backend{{{Cluster: "c2", Labels: v("v3"), Weight: 75}, {Cluster: "c1", Labels: v("v1"), Weight: 15}, {Cluster: "c1", Labels: v("v2"), Weight: 10}}}}
	want := []string{"c2/version=v3>c1/version=v1", "c1/version=v1>c2/version=v3", "c1/version=v2>c2/version=v3"}
	for i, c := range r.Chains() {
		if c.ID() != want[i] {
			t.Errorf("chain %d is %s, not %s", i, c.ID(), want[i])
		}
	}
}
