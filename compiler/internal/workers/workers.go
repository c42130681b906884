// SPDX-License-Identifier: Apache-2.0

package workers

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls a function for each number below n, on every processor. Each
// worker makes its own; all have ended when it returns.
func Each(n int, worker func() func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			do := worker()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
