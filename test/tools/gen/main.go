// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
)

const (
	typesDir = "schemas/v1alpha1"
	crdDir   = "deploy/crds"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run generates everything below the root that args name.
func run(args []string, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: gen ROOT")
		return 2
	}
	// The package loader looks for packages from where the process is.
	if err := os.Chdir(args[0]); err != nil {
		fmt.Fprintln(stderr, "gen:", err)
		return 2
	}
	// Each step reads what the step before it wrote.
	steps := []struct {
		name string
		do   func() error
	}{
		{"deep copies and custom resources", fromTypes},
		{"custom resources of the MCS API", copyMCS},
		{"schemas", fromResources},
		{"what only git has", dropGitOnly},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			fmt.Fprintf(stderr, "gen: %s: %v\n", s.name, err)
			return 2
		}
	}
	return 0
}
