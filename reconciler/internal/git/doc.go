// SPDX-License-Identifier: Apache-2.0

// Package git takes a Snapshot of a directory, a local repository or a remote
// one: the files of one Revision, read-only.
//
// A remote is listed first and then fetched afresh, one commit deep, into a
// bare store of its own. Nothing is kept between two looks, so a branch that
// was force-pushed is nothing special. No work tree is ever made: files are
// read as blobs through the commit's tree, symbolic links and submodules are
// seen but not followed, and a blob is only loaded when it is read.
//
// Out of scope: verifying signatures, and writing.
package git
