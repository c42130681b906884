// SPDX-License-Identifier: Apache-2.0

package compiler

import "github.com/fairlead/fairlead/compiler/internal/plan"

// Feature is something that a policy can ask of a provider of routing: a row of
// the feature matrix, for reference pages.
type Feature struct {
	Name string
	// Code of the error where a provider does not do it exactly.
	Code string
	// Fields that ask for it, as paths without places in lists. Sometimes: only
	// some uses of them do.
	Fields    []string
	Sometimes bool
	// Support of each provider, in the order of Providers.
	Support []Support
}

// Support is what one provider makes of a feature: it does it exactly when only
// Provider and Since are set.
type Support struct {
	Provider string
	// Degradation names what must be accepted in acceptDegradations; empty: none.
	Degradation string
	// Refusal says why the provider cannot do it, and Fix what to write instead.
	Refusal, Fix string
	// Since is the first version of the provider that can; empty: every version
	// that Fairlead runs with.
	Since string
	// Partly says what the provider does where the clusters ask for it, and what
	// is pending then; empty: all of it.
	Partly string
}

// Degradation is a place where a provider does less than a policy means.
type Degradation struct {
	Name string
	// Text says exactly what differs.
	Text string
}

// Providers returns the providers of routing, in the order of the matrix.
func Providers() []string {
	var out []string
	for _, p := range plan.Providers() {
		out = append(out, string(p))
	}
	return out
}

// Features returns the feature matrix.
func Features() []Feature {
	var out []Feature
	for _, row := range plan.Matrix() {
		f := Feature{Name: string(row.Feature), Code: row.Code, Fields: row.Fields, Sometimes: row.Sometimes()}
		for _, p := range plan.Providers() {
			s := row.Of(p)
			f.Support = append(f.Support, Support{Provider: string(p), Degradation: s.Degradation, Refusal: s.Refusal, Fix: s.Fix, Since: s.Since, Partly: s.Partly})
		}
		out = append(out, f)
	}
	return out
}

// Degradations returns all that a policy can accept, by name.
func Degradations() []Degradation {
	var out []Degradation
	for _, d := range plan.Degradations() {
		out = append(out, Degradation(d))
	}
	return out
}
