// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"bytes"
	"maps"
	"slices"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/report"
)

// compareResults compares two results cluster by cluster.
func compareResults(before, after compiler.Result) []report.Cluster {
	bundles := map[string][2]manifest.Bundle{}
	for _, b := range before.Bundles {
		bundles[b.Store] = [2]manifest.Bundle{b, {Store: b.Store}}
	}
	for _, b := range after.Bundles {
		bundles[b.Store] = [2]manifest.Bundle{bundles[b.Store][0], b}
	}
	clusters := []report.Cluster{}
	for _, store := range slices.Sorted(maps.Keys(bundles)) {
		held := work{result: after}.held(store)
		clusters = append(clusters, compareBundles(bundles[store][0], bundles[store][1], held))
	}
	return clusters
}

// compareBundles compares what a cluster has with what it shall have; objects of
// held fragments stay.
func compareBundles(before, after manifest.Bundle, held []manifest.FragmentID) report.Cluster {
	out := report.Cluster{Name: after.Store, Digest: after.Digest(), Actions: []report.Action{}}
	objects := map[manifest.Ref]versions{}
	for _, f := range before.Fragments {
		for _, o := range f.Objects {
			objects[o.Ref()] = versions{ref: o.Ref(), fragment: f.ID, before: o.YAML()}
		}
	}
	for _, f := range after.Fragments {
		for _, o := range f.Objects {
			objects[o.Ref()] = versions{ref: o.Ref(), fragment: f.ID, before: objects[o.Ref()].before, after: o.YAML()}
		}
	}
	for _, v := range objects {
		op := apply.Changed
		switch {
		case bytes.Equal(v.before, v.after), v.after == nil && slices.Contains(held, v.fragment):
			out.Unchanged++
			continue
		case v.before == nil:
			op = apply.Created
		case v.after == nil:
			op = apply.Pruned
		}
		out.Actions = append(out.Actions, difference(after.Store, op, v))
	}
	sortDifferences(out.Actions)
	return out
}
