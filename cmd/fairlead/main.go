// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"

	"github.com/fairlead/fairlead/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), cli.Streams{Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
}
