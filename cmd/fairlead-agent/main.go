// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/fairlead/fairlead/dataplane"
)

func main() { os.Exit(dataplane.Main(os.Args[1:])) }
