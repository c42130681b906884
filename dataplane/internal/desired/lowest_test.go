// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// What is remembered is the lowest of the last while, whatever came before.
func TestLowest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const while = 5 * time.Second
	l := &Lowest{Now: time.Unix(1000, 0)}
	var all []sample
	for range 2000 {
		l.Now = l.Now.Add(time.Duration(random.IntN(1500)) * time.Millisecond)
		health := float64(random.IntN(5)) / 4
		all = append(all, sample{l.Now, health})
		want := health
		for i := len(all) - 1; i >= 0 && l.Now.Sub(all[i].at) <= while; i-- {
			want = min(want, all[i].health)
		}
		if got := l.of(backendKey{route: "a"}, health, while); got != want {
			t.Fatalf("at %v: %v, not %v", l.Now, got, want)
		}
	}
	if n := len(l.past[backendKey{route: "a"}]); n > 5 {
		t.Errorf("%d samples are kept of five different values", n)
	}
}

func TestLowestOfNothing(t *testing.T) {
	l := &Lowest{}
	l.of(backendKey{route: "a"}, 0, time.Minute)
	if got := l.of(backendKey{route: "b"}, 1, time.Minute); got != 1 {
		t.Errorf("another backend was as ill: %v", got)
	}
	if got := l.of(backendKey{route: "a"}, 1, 0); got != 1 {
		t.Errorf("without a while: %v", got)
	}
	if got := (*Lowest)(nil).of(backendKey{}, 1, time.Minute); got != 1 {
		t.Errorf("without a memory: %v", got)
	}
}

// A backend whose endpoints come back serves again when the delay is over, and
// loses its share at once when they go.
func TestFailbackDelay(t *testing.T) {
	in := input("n1")
	in.Lowest = &Lowest{}
	in.Routes[0].Spec.Import.FailbackDelay = "30s"
	begin := time.Unix(1000, 0)
	for _, step := range []struct {
		after time.Duration
		ready bool
		want  bool
	}{
		{0, true, true}, {1 * time.Second, false, false}, {2 * time.Second, true, false}, {31 * time.Second, true, false},
		{32 * time.Second, true, true}, {33 * time.Second, false, false},
	} {
		in.Lowest.Now = begin.Add(step.after)
		in.Slices = []discoveryv1.EndpointSlice{endpointSlice("a", step.ready, "10.1.0.5")}
		served := slices.ContainsFunc(Make(in).Services, func(c Choice) bool { return c.Target.Addr() == netip.MustParseAddr("10.1.0.5") })
		if served != step.want {
			t.Errorf("after %s, with ready %t: served by it %t", step.after, step.ready, served)
		}
	}
	in.Routes[0].Spec.Import.FailbackDelay = "soon"
	if s := Make(in); len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "failbackDelay") {
		t.Errorf("problems %q", s.Problems)
	}
}
