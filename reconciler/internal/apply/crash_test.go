// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
)

func manifestText(t *testing.T, v any) string {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w world) sameVersions(t *testing.T, before map[string]string) {
	t.Helper()
	if diff := cmp.Diff(before, w.versions(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// cut is a connection that dies at the nth write: before it is sent, or after
// the server made it and before the answer arrives. Nothing passes afterwards,
// so for the server it is as if the process was killed.
type cut struct {
	next     http.RoundTripper
	answered bool
	// onWrite, where set, is called before each write with its number.
	onWrite func(n int)

	lock   sync.Mutex
	at     int
	writes int
	dead   bool
}

var errCut = errors.New("cut")

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	c.lock.Lock()
	if c.dead {
		c.lock.Unlock()
		return nil, errCut
	}
	dies := false
	if r.Method != http.MethodGet {
		c.writes++
		dies = c.writes == c.at
		c.dead = dies
	}
	n := c.writes
	c.lock.Unlock()
	if r.Method != http.MethodGet && c.onWrite != nil {
		c.onWrite(n)
	}
	if dies && !c.answered {
		return nil, errCut
	}
	response, err := c.next.RoundTrip(r)
	if dies && err == nil {
		response.Body.Close()
		return nil, errCut
	}
	return response, err
}

// throughCut applies a bundle through a connection that is cut.
func (w world) throughCut(ctx context.Context, t *testing.T, file string, c *cut) apply.Outcome {
	t.Helper()
	return w.through(ctx, t, w.bundle(t, file), c)
}

func (w world) through(ctx context.Context, t *testing.T, bundle manifest.Bundle, c *cut) apply.Outcome {
	t.Helper()
	config := rest.CopyConfig(w.cluster.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		c.next = next
		return c
	})
	return apply.Apply(ctx, apply.Request{Client: w.client(t, config), Bundle: bundle, Revision: "r1"})
}

// TestKilledBetweenAnyTwoWrites goes from nothing to one bundle and on to
// another; one of the two applies is killed at every write in turn, before the
// server sees it and after. A run that follows ends where an undisturbed one
// ends.
func TestKilledBetweenAnyTwoWrites(t *testing.T) {
	for _, scenario := range [][]string{{"before.yaml"}, {"before.yaml", "after.yaml"}} {
		last := scenario[len(scenario)-1]
		calm := newWorld(t)
		for _, file := range scenario {
			must(t, calm.apply(t, calm.bundle(t, file)))
		}
		want := calm.dump(t)
		for _, answered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s made=%v", last, answered), func(t *testing.T) {
				k := 1
				for w, alive := killAt(t, scenario, k, answered); !alive; w, alive = killAt(t, scenario, k, answered) {
					must(t, w.apply(t, w.bundle(t, last)))
					if diff := cmp.Diff(want, w.dump(t)); diff != "" {
						t.Fatalf("killed at write %d: ends differently (-undisturbed +killed):\n%s", k, diff)
					}
					if again := w.apply(t, w.bundle(t, last)); again.Writes() != 0 || again.Recorded {
						t.Errorf("killed at write %d: the run after the next still writes:\n%s", k, written(again))
					}
					k++
				}
				if k < 8 {
					t.Errorf("only %d writes were cut", k-1)
				}
			})
		}
	}
}

// killAt plays a scenario in a new world and kills the last apply at write k;
// alive says that it ended before.
func killAt(t *testing.T, scenario []string, k int, answered bool) (w world, alive bool) {
	t.Helper()
	w = newWorld(t)
	for _, file := range scenario[:len(scenario)-1] {
		must(t, w.apply(t, w.bundle(t, file)))
	}
	c := &cut{at: k, answered: answered}
	outcome := w.throughCut(context.Background(), t, scenario[len(scenario)-1], c)
	if c.dead == outcome.OK() {
		t.Fatalf("cut at write %d: dead %v, but the outcome is %+v", k, c.dead, outcome)
	}
	return w, !c.dead
}

func TestInterruptFinishesWhatIsInFlight(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// The first write is the record, the second the Dataplane.
	c := &cut{onWrite: func(n int) {
		if n == 2 {
			cancel()
		}
	}}
	outcome := w.throughCut(ctx, t, "before.yaml", c)
	if outcome.Error != "interrupted after 1 of 8 changes" || outcome.Count(apply.Created) != 1 {
		t.Errorf("error %q, actions:\n%s", outcome.Error, written(outcome))
	}
	if c.writes != 2 {
		t.Errorf("%d writes, want 2: the interrupted one is finished and no other begun", c.writes)
	}
	if w.objects(t)["Dataplane/"+w.name] == nil {
		t.Error("the write in flight was reported but not made")
	}
	if rest := must(t, w.apply(t, w.bundle(t, "before.yaml"))); rest.Count(apply.Created) != 5 || rest.Count(apply.Claimed) != 2 {
		t.Errorf("the next run:\n%s", written(rest))
	}
}

func TestServerThatGoesAwayIsNamedOnce(t *testing.T) {
	w := newWorld(t)
	outcome := w.throughCut(context.Background(), t, "before.yaml", &cut{at: 3})
	if !strings.HasSuffix(outcome.Error, "cut, after 1 of 8 changes") || outcome.Count(apply.Failed) != 0 {
		t.Errorf("error %q, actions:\n%s", outcome.Error, written(outcome))
	}
}
