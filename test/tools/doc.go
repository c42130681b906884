// SPDX-License-Identifier: Apache-2.0

// Package tools knows the programs that the tests run: those of a Kubernetes
// cluster (etcd, kube-apiserver, kube-controller-manager and kube-proxy), and
// the control planes that watch one. They are built from nested modules below
// this directory, so that their hundreds of dependencies stay out of Fairlead's
// own module.
//
// Words: a Tool is one program; a Store is the directory that holds the built
// ones. A Store's name contains a Key, the digest of everything that decides
// what the programs are, so two clones on one machine share one Store and a
// changed version is built beside the old one, never over it.
//
// Out of scope: starting the programs (test/lab does that) and Debian packages
// (the script packages in this directory).
package tools
