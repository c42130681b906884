// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fairlead/fairlead/test/tools"
)

func main() { os.Exit(run(os.Stdout, os.Stderr)) }

// run builds what is missing for the tree around the working directory. The
// directory goes to stdout, progress and errors to stderr.
func run(stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store, err := tools.Find(".")
	if err == nil {
		err = store.Make(ctx, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "tools:", err)
		return 2
	}
	fmt.Fprintln(stdout, store.Dir)
	return 0
}
