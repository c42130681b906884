// SPDX-License-Identifier: Apache-2.0

// Package compiler turns the documents of a repository and an inventory of the
// clusters into one Bundle of configuration per cluster. Values in, values
// out: it reads no clock, no network, no environment and no files but those it
// is given, and the same input gives the same bytes.
//
// Three steps, each in a package of its own: source (bytes → documents with
// positions) and fleet (documents and inventory → names resolved, defaults
// filled, conflicts found), plan (what must be true in each cluster, whoever
// provides it), emit (a plan → the objects of one provider).
//
// An error is about the files alone and rejects the revision whole. What the
// inventory shows never does: what is missing is Pending, what conflicts is
// Held.
//
// Out of scope: fetching anything, applying anything, endpoints.
package compiler
