// SPDX-License-Identifier: Apache-2.0

// Package workers does many small things on every processor.
//
// A worker is a goroutine that takes one number after the other. What comes of
// a number must depend on nothing but the number, so that the same result
// comes out whoever takes it.
//
// Out of scope: cancelling, and errors: what fails says so in its own result.
package workers
