// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"fmt"
	"math/big"

	"github.com/fairlead/fairlead/compiler/internal/simulate"
)

// Fraction is an exact part of something. Its zero value is 0; in JSON it is a
// text such as "3/4", "0" or "1".
type Fraction struct{ rat *big.Rat }

// NewFraction returns a ÷ b. It panics where b is zero.
func NewFraction(a, b int64) Fraction { return Fraction{big.NewRat(a, b)} }

// Rat returns a copy.
func (f Fraction) Rat() *big.Rat {
	if f.rat == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Set(f.rat)
}

// String returns a percentage with at most two digits after the point, such as
// "33.33%".
func (f Fraction) String() string { return simulate.Percent(f.Rat()) }

// MarshalText returns the exact fraction, such as "1/3".
func (f Fraction) MarshalText() ([]byte, error) { return []byte(f.Rat().RatString()), nil }

// UnmarshalText reads what MarshalText writes, and decimal numbers.
func (f *Fraction) UnmarshalText(text []byte) error {
	r, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return fmt.Errorf("%q is no fraction", text)
	}
	f.rat = r
	return nil
}
