// SPDX-License-Identifier: Apache-2.0

// Package cilium asks Cilium itself what it makes of the policies that the
// compiler writes for it: its agent's parser whether it takes them, its policy
// engine whether it lets a connection in, by the program cilium-check of
// test/tools.
//
// Words: a Flow is a connection that a pod opens to another; a Passage says
// whether it is let in.
//
// Out of scope: a data path. Nothing of Cilium runs in a kernel here.
package cilium
