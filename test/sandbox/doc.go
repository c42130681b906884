// SPDX-License-Identifier: Apache-2.0

// Package sandbox runs a program, most often a test binary, as root in a
// private piece of the machine: its own network, mounts, processes, host name
// and IPC. Whatever it does there ends with it. A kill -9 of the program that
// asked for the sandbox kills everything inside, because the kernel kills a
// process namespace as a whole and drops network namespaces and mounts that
// nobody holds.
//
// A test package says
//
//	func TestMain(m *testing.M) { sandbox.Main(m) }
//
// and a program calls Enter first thing in main, or Boot and later Run where it
// has something to do outside as well.
//
// Words: outside is the process that the user started. It starts itself again
// as process 1 of the sandbox (the init), which starts the program proper as
// its child (inside), forwards signals to it, reaps what it leaves behind and
// ends with its exit code.
//
// Inside, /run is an empty tmpfs (so /run/netns and /run/wireguard are
// private), TMPDIR points into it, the loopback interface is up and no other
// interface exists. The rest of the file system is the machine's own.
//
// Out of scope: keeping a hostile program in. A sandbox protects the machine
// from leftovers, not from malice.
package sandbox
