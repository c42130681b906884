// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"fmt"
	"net/netip"
	"sync"
)

// pool hands out a node's pod addresses in order, so that an address is not
// used again until all others were.
type pool struct {
	prefix netip.Prefix

	mu   sync.Mutex
	last netip.Addr
	used map[netip.Addr]bool
}

// newPool starts after the prefix's network address and its first host, which
// many CNIs keep for the node.
func newPool(prefix netip.Prefix) *pool {
	first := prefix.Masked().Addr().Next()
	return &pool{prefix: prefix.Masked(), last: first, used: map[netip.Addr]bool{first: true}}
}

// take returns a free address.
func (p *pool) take() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wrapped := false
	for a := p.last.Next(); ; a = a.Next() {
		// The last address of a prefix is a broadcast address.
		if !p.prefix.Contains(a) || !p.prefix.Contains(a.Next()) {
			if wrapped {
				return netip.Addr{}, fmt.Errorf("no free pod address in %s", p.prefix)
			}
			wrapped = true
			a = p.prefix.Addr()
			continue
		}
		if !p.used[a] {
			p.used[a] = true
			p.last = a
			return a, nil
		}
	}
}

// give returns an address.
func (p *pool) give(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, a)
}
