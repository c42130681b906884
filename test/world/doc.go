// SPDX-License-Identifier: Apache-2.0

// Package world is everything that Fairlead lives in, on one machine: a lab of
// clusters, a git server with a repository of policies, an agent on every node,
// and the reconciler to run. The demo tells its story in it, and the end-to-end
// tests break it.
//
// The programs are the real ones, built from this tree: Build makes them.
//
// Out of scope: what the story is.
package world
