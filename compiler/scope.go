// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Member is a cluster that documents name.
type Member struct {
	// Store is the name of the cluster, and ClusterSet that of its set.
	Store, ClusterSet string
	// API is the way to the cluster.
	API v1alpha1.ClusterAPI
}

// Scope returns the clusters that the documents in files name, in the order of
// the bundles that Compile returns, and what it would say of the documents
// without knowing any cluster. Nothing is emitted. With an error there are no
// members.
func Scope(files fs.FS) ([]Member, []diag.Diagnostic) {
	return (&compilation{scope: true}).members(files)
}

// Scope returns what the function Scope returns. A Compile of the same files
// afterwards checks no document again.
func (s *Session) Scope(files fs.FS) ([]Member, []diag.Diagnostic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (&compilation{session: s, scope: true}).members(files)
}

func (c *compilation) members(files fs.FS) ([]Member, []diag.Diagnostic) {
	_, diags := c.run(files)
	if diag.HasErrors(diags) {
		return nil, diags
	}
	var out []Member
	for _, s := range c.fleet.Sets {
		for _, m := range s.Clusters {
			out = append(out, Member{Store: m.Name, ClusterSet: s.Name, API: m.API})
		}
	}
	slices.SortFunc(out, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.ClusterSet, b.ClusterSet))
	})
	return out, diags
}
