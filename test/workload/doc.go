// SPDX-License-Identifier: Apache-2.0

// Package workload makes repositories of a given size, and the inventory of the
// clusters that they speak of, so that tests and benchmarks measure the same
// thing. The same size gives the same bytes.
//
// The words: W is what the project's figures speak of, Tenfold is ten times as
// many policies in four times as many clusters. Every policy has three backends
// and five consumers; half of the clusters run Istio, and half of the policies
// are for services in those. The inventory knows everything, so that nothing is
// pending.
//
// Out of scope: mistakes, and meaning. The policies are ordinary.
package workload
