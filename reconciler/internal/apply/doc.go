// SPDX-License-Identifier: Apache-2.0

// Package apply makes one cluster hold one Bundle and nothing else of the same
// ApplySet.
//
// It lists what carries the set's label, one request per kind, compares, and
// writes only what differs: by server-side apply under the field manager
// "fairlead", each write with a condition that makes it fail when the object is
// no longer the one that was looked at. An object that exists without the label
// is somebody else's: it is held, never touched.
//
// The set's parent, the AppliedBundle, names every kind and namespace that may
// hold members before the first of them is written, and only what does hold
// some after the last. So a run that is killed between any two writes leaves
// nothing that the next one does not find.
//
// A Claim is written as a field manager of its fragment's own, without force: a
// field that somebody else set to another value is held, an object that is not
// there is pending. Claimed objects are no members of the set; the AppliedBundle
// names them, and what is not wanted any more is released by applying nothing.
//
// Words: a Step is one write that is wanted; an Action is what became of one
// object; an Outcome is what became of the cluster.
//
// Out of scope: what a bundle holds, the order of clusters, and endpoints.
package apply
