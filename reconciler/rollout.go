// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/report"
)

// rollout brings the bundles of a result to their clusters: all at once, or
// where a ClusterSet has stages one stage after the other.
type rollout struct {
	result compiler.Result
	// serve applies one bundle.
	serve func(manifest.Bundle) report.Cluster
	// progress is told what is going on.
	progress func(string)

	slots chan struct{}
	out   []report.Cluster
}

// run returns what became of each cluster, in the order of the bundles. Sets
// wait for their own stages only.
func (r *rollout) run(ctx context.Context) []report.Cluster {
	r.slots, r.out = make(chan struct{}, parallelClusters), make([]report.Cluster, len(r.result.Bundles))
	var sets []string
	for _, b := range r.result.Bundles {
		sets = append(sets, b.ClusterSet)
	}
	slices.Sort(sets)
	var group errgroup.Group
	for _, set := range slices.Compact(sets) {
		group.Go(func() error {
			r.set(ctx, set)
			return nil
		})
	}
	_ = group.Wait() // what fails is in the cluster's part of the report
	return r.out
}

// set serves the clusters of one ClusterSet.
func (r *rollout) set(ctx context.Context, set string) {
	stages := slices.DeleteFunc(slices.Clone(r.result.Stages), func(s compiler.Stage) bool { return s.ClusterSet != set })
	if len(stages) == 0 {
		r.stage(r.places(func(b manifest.Bundle) bool { return b.ClusterSet == set }))
		return
	}
	why := ""
	for i, s := range stages {
		places := r.places(func(b manifest.Bundle) bool { return b.ClusterSet == set && slices.Contains(s.Clusters, b.Store) })
		if why != "" {
			for _, p := range places {
				b := r.result.Bundles[p]
				r.out[p] = report.Cluster{Name: b.Store, Digest: b.Digest(), Actions: []report.Action{}, Error: fmt.Sprintf("stage %s was not begun: %s", s.Name, why)}
			}
			continue
		}
		failed, changed := r.stage(places)
		switch {
		case len(failed) > 0:
			why = fmt.Sprintf("stage %s is not complete (%s)", s.Name, strings.Join(failed, ", "))
		case changed && i < len(stages)-1 && !r.soak(ctx, s, stages[i+1]):
			why = fmt.Sprintf("interrupted after stage %s", s.Name)
		}
	}
}

// places finds bundles by their place.
func (r *rollout) places(wanted func(manifest.Bundle) bool) []int {
	var out []int
	for i, b := range r.result.Bundles {
		if wanted(b) {
			out = append(out, i)
		}
	}
	return out
}

// stage serves some clusters at once. It returns those that were not served to
// the end, and whether anything was written.
func (r *rollout) stage(places []int) (failed []string, changed bool) {
	var group errgroup.Group
	for _, p := range places {
		group.Go(func() error {
			r.slots <- struct{}{}
			defer func() { <-r.slots }()
			r.out[p] = r.serve(r.result.Bundles[p])
			return nil
		})
	}
	_ = group.Wait() // what fails is in the cluster's part of the report
	for _, p := range places {
		if c := r.out[p]; !c.OK() {
			failed = append(failed, c.Name)
		}
		changed = changed || r.out[p].Changed()
	}
	return failed, changed
}

// soak waits after a stage, false when it is interrupted.
func (r *rollout) soak(ctx context.Context, s, next compiler.Stage) bool {
	pause, err := s.Soak.Parse()
	if err != nil || pause == 0 {
		return ctx.Err() == nil
	}
	r.progress(fmt.Sprintf("stage %s is served; stage %s begins in %s", s.Name, next.Name, pause))
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
