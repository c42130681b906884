// SPDX-License-Identifier: Apache-2.0

// The etcd program, built from its own module so that its dependencies stay
// out of Fairlead's.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
