// SPDX-License-Identifier: Apache-2.0

// Package netecho is the program that a lab's pods run: a server that says who
// it is and whom it sees, a caller that counts the answers of many connections,
// and a stream that counts lost datagrams.
//
// A program that links this package is netecho when started under that name,
// so the lab makes one symbolic link and needs no further binary: call Boot
// first thing in main.
//
//	netecho serve --tcp :6379 --udp :6379
//	netecho call --address 10.1.0.2:6379 --count 100
//	netecho stream --address 10.1.0.2:6379 --interval 10ms --count 500
//
// The server answers each line, and each datagram, with one line:
//
//	pod=redis-follower-0 cluster=managed-cluster peer=10.128.0.5
//
// Out of scope: measuring throughput, and names (addresses are numeric).
package netecho
