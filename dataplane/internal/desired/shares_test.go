// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestShares(t *testing.T) {
	const m = 0.71
	for name, c := range map[string]struct {
		tiers [][]backend
		want  [][]float64
	}{
		"one":                       {[][]backend{{{1, 1}}}, [][]float64{{1}}},
		"weights":                   {[][]backend{{{75, 1}, {25, 1}}}, [][]float64{{0.75, 0.25}}},
		"lower tier waits":          {[][]backend{{{1, 1}}, {{1, 1}}}, [][]float64{{1}, {0}}},
		"dead leaves for the next":  {[][]backend{{{75, 0}, {25, 1}}, {{1, 1}}}, [][]float64{{0, 0.25}, {0.75}}},
		"siblings take it at last":  {[][]backend{{{75, 0}, {25, 1}}}, [][]float64{{0, 1}}},
		"above minHealthy is whole": {[][]backend{{{1, 0.71}}, {{1, 1}}}, [][]float64{{1}, {0}}},
		"half of it is half":        {[][]backend{{{1, 0.355}}, {{1, 1}}}, [][]float64{{0.5}, {0.5}}},
		"left over in proportion":   {[][]backend{{{1, 0.355}}, {{1, 0.355}}}, [][]float64{{2.0 / 3}, {1.0 / 3}}},
		"nothing serves":            {[][]backend{{{1, 0}}, {{1, 0}}}, [][]float64{{0}, {0}}},
		"a tier without weight":     {[][]backend{{{0, 1}}, {{1, 1}}}, [][]float64{{0}, {1}}},
		"no tiers":                  {nil, nil},
		"third tier":                {[][]backend{{{1, 0}}, {{1, 0.355}}, {{1, 1}}}, [][]float64{{0}, {0.5}, {0.5}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := shares(c.tiers, m)
			for i := range c.want {
				for j := range c.want[i] {
					if math.Abs(got[i][j]-c.want[i][j]) > 1e-9 {
						t.Fatalf("got %v, want %v", got, c.want)
					}
				}
			}
		})
	}
}

func TestSlots(t *testing.T) {
	for _, c := range []struct {
		parts []float64
		n     int
		want  []int
	}{
		{[]float64{0.75, 0.25}, 10000, []int{7500, 2500}},
		{[]float64{1, 1, 1}, 10, []int{4, 3, 3}},
		{[]float64{0.1, 0.2, 0.7}, 10, []int{1, 2, 7}},
		{[]float64{0, 1}, 10, []int{0, 10}},
		{[]float64{0, 0}, 10, []int{0, 0}},
		{[]float64{1e-9, 1}, 10, []int{0, 10}},
		{nil, 10, []int{}},
	} {
		if got := slots(c.parts, c.n); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("slots(%v, %d) = %v, want %v", c.parts, c.n, got, c.want)
		}
	}
}

// TestSlotsProperty: all slots are given, none is off by one or more.
func TestSlotsProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		parts := make([]float64, 1+r.IntN(50))
		total := 0.0
		for i := range parts {
			parts[i] = r.Float64()
			total += parts[i]
		}
		sum := 0
		for i, n := range slots(parts, Slots) {
			sum += n
			if exact := parts[i] / total * Slots; math.Abs(exact-float64(n)) >= 1 {
				t.Fatalf("%v: slot %d is %d, exact %f", parts, i, n, exact)
			}
		}
		if sum != Slots {
			t.Fatalf("%v: %d slots", parts, sum)
		}
	}
}
