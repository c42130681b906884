// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"os"
	"testing"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
)

// Main is the body of TestMain of a package that starts worlds: it builds the
// programs outside the sandbox, where modules can still be downloaded, and runs
// the tests inside. It does not return.
func Main(m *testing.M) {
	lab.Boot()
	if !sandbox.Inside() && os.Geteuid() == 0 {
		os.Exit(outside())
	}
	lab.Main(m)
}

// outside builds, and starts the tests in the sandbox.
func outside() int {
	dir, err := os.MkdirTemp("", "fairlead-world")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return sandbox.Run(sandbox.Options{Env: []string{BinVariable + "=" + dir}})
}
