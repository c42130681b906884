// SPDX-License-Identifier: Apache-2.0

// Package source turns the bytes of a repository into documents whose every
// field knows its place in its file. It checks each document by itself: YAML,
// shape (against the generated definitions) and the rules of rules.cue. It is
// the only package that imports CUE.
//
// A file counts when its name ends in .yaml or .yml and no part of its path
// begins with a dot; a document counts when its apiVersion is of the group
// fairlead.dev, or was meant to be. Everything else in the repository is
// somebody else's and is left alone, as long as it is YAML, or a template.
//
// What one document may not say is in three places. Shape is in the schemas,
// which come from the Go types. Rules of a common form are rows of the tables in
// rules.cue, and what no row can say is a CUE rule there; both are reported with
// their place. What needs the whole document, compares labels, which CUE would
// keep for ever, or reads regular expressions and addresses, is Go.
//
// Every mistake is reported once and all are reported at once: the checks run
// in an order (YAML, header, shape, labels and values, tables, the whole
// document, CUE), each passes over what the ones before it found wrong, and what
// one document has wrong hides nothing of another. What a file may cost is bounded, whatever is in it.
//
// Out of scope: rules over more than one document, and the inventory.
package source
