// SPDX-License-Identifier: Apache-2.0

package source

import (
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Documents are the valid documents of a repository, each kind sorted by
// position.
type Documents struct {
	ClusterSets []ClusterSet
	Policies    []Policy
	Tests       []Test
	// Broken are the policies with a mistake of their own, as far as they could
	// be read: good only for finding names that nothing has.
	Broken []Policy
	// BrokenSets are the ClusterSets with a mistake of their own, of which nothing
	// is known but the names of their clusters. Both are empty where such a name
	// could not be read, because then it is not known what has a name.
	BrokenSets []ClusterSet
}

// ClusterSet is a ClusterSet document.
type ClusterSet struct {
	v1alpha1.ClusterSet
	Origin Origin
}

// Policy is a TrafficPolicy document.
type Policy struct {
	v1alpha1.TrafficPolicy
	Origin Origin
}

// Test is a TrafficTest document.
type Test struct {
	v1alpha1.TrafficTest
	Origin Origin
}

// Origin knows where each field of a document stands. Its zero value knows
// nothing and places everything nowhere.
type Origin struct {
	file   string
	start  diag.Position
	fields map[string]diag.Position
	// identity is nil where no Cache has seen the document.
	identity *Identity
}

// Identity identifies the document, where it came out of a Cache.
func (o Origin) Identity() Identity {
	if o.identity == nil {
		return Identity{}
	}
	return *o.identity
}

// At returns the position of a field by its path from the document's root,
// such as spec.rules[0].backends[1].weight: of the value where there is one,
// otherwise of the nearest enclosing field that exists.
func (o Origin) At(path string) diag.Position {
	for path != "" {
		if p, ok := o.fields[path]; ok {
			return p
		}
		path = parent(path)
	}
	return o.start
}

// parent cuts the last element off a path; empty for the root.
func parent(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
