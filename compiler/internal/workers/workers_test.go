// SPDX-License-Identifier: Apache-2.0

package workers_test

import (
	"sync/atomic"
	"testing"

	"github.com/fairlead/fairlead/compiler/internal/workers"
)

func TestEachNumberOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		done, made := make([]atomic.Int32, n), atomic.Int32{}
		workers.Each(n, func() func(int) {
			made.Add(1)
			return func(i int) { done[i].Add(1) }
		})
		for i := range done {
			if times := done[i].Load(); times != 1 {
				t.Errorf("%d of %d was done %d times", i, n, times)
			}
		}
		if int(made.Load()) > n {
			t.Errorf("%d workers for %d numbers", made.Load(), n)
		}
	}
}
