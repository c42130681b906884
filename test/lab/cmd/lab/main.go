// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
)

func main() {
	lab.Boot()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const (
	codeFailed = 1
	codeUsage  = 2
)

// run is the command, outside the sandbox and inside.
func run(args []string, stdout, stderr io.Writer) int {
	var code int
	var err error
	switch {
	case sandbox.Inside():
		code, err = runInside(args, stdout, stderr)
	case len(args) > 0 && args[0] == "exec":
		code, err = runExec(args[1:], stderr)
	case len(args) > 0 && args[0] == "list":
		code, err = runList(args[1:], stdout)
	default:
		code, err = runOutside(args, stderr)
	}
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "lab:", err)
	}
	return code
}

// shape is what a user asks for.
type shape struct {
	clusters, nodes int
	overlap         bool
}

// parseShape reads the flags.
func parseShape(args []string, stderr io.Writer) (shape, error) {
	var s shape
	f := flag.NewFlagSet("lab", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&s.clusters, "clusters", 2, "number of clusters")
	f.IntVar(&s.nodes, "nodes", 1, "number of nodes of each")
	f.BoolVar(&s.overlap, "overlap", false, "give all clusters the same pod and service addresses")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	const maxClusters, maxNodes = 24, 9
	if s.clusters < 1 || s.clusters > maxClusters || s.nodes < 1 || s.nodes > maxNodes {
		return s, fmt.Errorf("--clusters must be 1 to %d and --nodes 1 to %d", maxClusters, maxNodes)
	}
	return s, nil
}
