// SPDX-License-Identifier: Apache-2.0

// Package source turns the bytes of a repository into documents whose every
// field knows its place in its file. It checks each document by itself: YAML,
// shape (against the generated definitions) and the rules of rules.cue. It is
// the only package that imports CUE.
//
// A file counts when its name ends in .yaml or .yml; a document counts when
// its apiVersion is of the group fairlead.dev. Everything else in the
// repository is somebody else's and is left alone.
//
// Out of scope: rules over more than one document, and the inventory.
package source
