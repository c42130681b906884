// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/fairlead/fairlead/test/sandbox"
)

const (
	// labVariable marks a lab's init, so that list and exec find it.
	labVariable = "FAIRLEAD_LAB"
	// firstPort is the first that is tried for the API servers on the machine's
	// 127.0.0.1. It is below the ports of outgoing connections, because the
	// sandbox uses the same numbers.
	firstPort = 16443
	lastPort  = 17443
)

// runOutside makes the listeners, which stay in this network namespace, and
// hands them to the sandbox after a pipe that tells it its own process id.
func runOutside(args []string, stderr io.Writer) (int, error) {
	s, err := parseShape(args, stderr)
	if err != nil {
		return codeUsage, err
	}
	listeners, err := listen(s.clusters)
	if err != nil {
		return codeFailed, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return codeFailed, fmt.Errorf("make a pipe: %w", err)
	}
	return sandbox.Run(sandbox.Options{
		Args:  args,
		Files: append([]*os.File{r}, listeners...),
		Env:   []string{labVariable + "=1"},
		Started: func(pid int) {
			fmt.Fprintln(w, pid)
			w.Close()
		},
	}), nil
}

// listen opens count listeners on the machine's loopback interface.
func listen(count int) ([]*os.File, error) {
	var files []*os.File
	for port := firstPort; len(files) < count; port++ {
		if port > lastPort {
			return nil, fmt.Errorf("no free ports on 127.0.0.1 from %d to %d", firstPort, lastPort)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // in use, by another lab perhaps
		}
		f, err := l.(*net.TCPListener).File()
		l.Close() // f is the same socket
		if err != nil {
			return nil, fmt.Errorf("pass the listener on: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}
