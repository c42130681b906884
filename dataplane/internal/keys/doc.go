// SPDX-License-Identifier: Apache-2.0

// Package keys keeps the node's private WireGuard key: made once, on the node,
// and never leaving it.
//
// The key lies in a file of mode 0600 in a directory of mode 0700. It is
// written under another name, synced and then linked to its place, so that a
// crash leaves either no key or a whole one, and of two processes that make one
// at the same time both end up with the same. A file that is there but cannot
// be used is an error and is never replaced: its public half is known to other
// clusters, and a person must decide. A file that is lost while the key is in use
// is written again.
//
// Out of scope: rotation.
package keys
