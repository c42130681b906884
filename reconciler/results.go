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
	parts := map[part]versions{}
	for _, f := range before.Fragments {
		for at, text := range partsOf(f) {
			parts[at] = versions{ref: at.ref, fragment: f.ID, before: text}
		}
	}
	for _, f := range after.Fragments {
		for at, text := range partsOf(f) {
			parts[at] = versions{ref: at.ref, fragment: f.ID, before: parts[at].before, after: text}
		}
	}
	for at, v := range parts {
		if bytes.Equal(v.before, v.after) || v.after == nil && slices.Contains(held, v.fragment) {
			out.Unchanged++
			continue
		}
		out.Actions = append(out.Actions, difference(after.Store, at.op(v), v))
	}
	sortDifferences(out.Actions)
	return out
}

// part is what a bundle can have once: an object, or what one fragment claims
// of somebody else's.
type part struct {
	ref manifest.Ref
	// claimedBy is empty for an object.
	claimedBy manifest.FragmentID
}

// partsOf returns the canonical YAML of everything in a fragment.
func partsOf(f manifest.Fragment) map[part][]byte {
	all := map[part][]byte{}
	for _, o := range f.Objects {
		all[part{ref: o.Ref()}] = o.YAML()
	}
	for _, c := range f.Claims {
		all[part{c.Ref(), f.ID}] = c.YAML()
	}
	return all
}

// op is what would be done to a part that differs.
func (p part) op(v versions) apply.Op {
	switch {
	case p.claimedBy != "" && v.after == nil:
		return apply.Released
	case p.claimedBy != "":
		return apply.Claimed
	case v.before == nil:
		return apply.Created
	case v.after == nil:
		return apply.Pruned
	}
	return apply.Changed
}
