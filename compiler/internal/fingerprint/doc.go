// SPDX-License-Identifier: Apache-2.0

// Package fingerprint identifies values by what they hold: every field of a
// struct, whoever adds one, and everything behind pointers. The same content
// has the same fingerprint, and another content another one.
//
// Functions are passed over: they are not content. Pointers to types that the
// caller names are written as the caller says, for values that are identified
// elsewhere or point at each other in circles.
//
// Out of scope: fingerprints that are kept. They are good within one process.
package fingerprint
