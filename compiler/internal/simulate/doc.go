// SPDX-License-Identifier: Apache-2.0

// Package simulate says what a request gets: by what the policies mean, and by
// what the emitted objects make of them.
//
// The words: a Request is made by a caller in a World, in which clusters are
// lost and pods are more or less healthy. The Meaning is computed from the Fleet
// alone: names, rules in order, access, and the Choice between backends with its
// one formula (shares.go). A degradation is a function from Meaning to Meaning.
// An interpreter computes an Answer from the objects of all config stores alone,
// as the provider's own programs read them; the Ground is what is true in the
// clusters whoever configures them: pods, their accounts, gateways, addresses.
//
// Parts are exact fractions. Where Envoy rounds to whole percents the interpreter
// does not, and says by how much that can differ (envoy.go).
//
// Time has no place here: an Answer is what requests get once everything that
// failed has been noticed, and before it comes back.
package simulate
