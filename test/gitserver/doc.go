// SPDX-License-Identifier: Apache-2.0

// Package gitserver serves real repositories with the real git: over HTTP
// through git's own http-backend, and over SSH through git-upload-pack and
// git-receive-pack. It also has a Clone to commit and push from, so that a
// test or the demo is a story of pushes.
//
// It listens on loopback only. Out of scope: access control beyond one SSH
// user key and an optional HTTP password.
package gitserver
