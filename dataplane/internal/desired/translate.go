// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// untranslated tells whether nothing may be sent to a peer because callers'
// addresses are somebody else's there, and notes it. This version does not
// translate callers: an answer would go elsewhere.
func (m *maker) untranslated(p v1alpha1.Peer) bool {
	t := m.in.Dataplane.Spec.Translation
	if t == nil || !slices.Contains(t.Toward, p.Cluster) {
		return false
	}
	m.problem("peer %s/%s: addresses of this cluster are somebody else's in %s, and this version does not translate callers (translation %s): nothing is sent there",
		p.Cluster, p.Gateway, p.Cluster, t.Mode)
	// Nor may anything for it leave by another way.
	if got, err := m.readPeer(p); err == nil {
		m.floor = append(m.floor, got.prefixes...)
	}
	return true
}
