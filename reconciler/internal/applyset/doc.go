// SPDX-License-Identifier: Apache-2.0

// Package applyset writes and reads the marks of an ApplySet, the convention of
// KEP-3659 by which a tool tells its own objects from everybody else's.
//
// The parent of the set is the cluster's AppliedBundle, which has the name of
// the ClusterSet. Every member carries the label part-of with the set's id, so
// one list per kind finds them all; the parent says which kinds and namespaces
// to look in.
//
// Out of scope: requests to any server.
package applyset
