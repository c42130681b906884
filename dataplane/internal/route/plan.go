// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

const (
	// Table of our routes: neither a number that distributions name (253 to
	// 255) nor one of the well-known programs' (Cilium 2004 and 2005, wg-quick
	// 51820, Tailscale 52).
	Table = 7147
	// Protocol marks our routes and rules. It is neither in the kernel's
	// rtnetlink.h nor in iproute2's rt_protos.
	Protocol = 147
	// RulePriority is the first of the RulePriorities that are ours: after the
	// local table, also where Cilium moves that to 100, and before the rules of
	// network plug-ins that send pods to tables of their own (AWS VPC: 512 and
	// up), which would not know the other clusters.
	RulePriority   = 470
	RulePriorities = 10
	// FloorMetric is the metric of the unreachable routes, higher than any
	// that people give. The kernel's VRF documentation uses it for the same.
	FloorMetric = 4278198272
)

// route is one route of our table, as it is or should be.
type route struct {
	prefix      netip.Prefix
	metric      uint32
	unreachable bool
	device      string
	via, source netip.Addr
}

// key is what makes a route replace another one.
type key struct {
	prefix netip.Prefix
	metric uint32
}

func (r route) key() key { return key{r.prefix, r.metric} }

// String is the route as iproute2 would print it.
func (r route) String() string {
	if r.unreachable {
		return fmt.Sprintf("unreachable %s metric %d", r.prefix, r.metric)
	}
	s := r.prefix.String()
	if r.via.IsValid() {
		s += " via " + r.via.String()
	}
	if r.device != "" {
		s += " dev " + r.device
	}
	if r.source.IsValid() {
		s += " src " + r.source.String()
	}
	return s
}

// matches says that the kernel's route is the wanted one. The kernel fills in
// the device where only the next hop was given.
func (r route) matches(have route) bool {
	if r.device == "" {
		have.device = ""
	}
	return r == have
}

// want is the routes of a State, in the order in which they must be added.
func want(s desired.State) []route {
	var out []route
	for _, r := range s.Routes {
		w := route{prefix: r.Prefix, unreachable: r.Unreachable, device: r.Device, via: r.Via, source: r.Source}
		if r.Unreachable {
			w.metric = FloorMetric
		}
		out = append(out, w)
	}
	return out
}

// diff computes what to set, in order, and what to remove.
func diff(want, have []route) (set, remove []route) {
	there := map[key]route{}
	for _, r := range have {
		there[r.key()] = r
	}
	wanted := map[key]bool{}
	for _, r := range want {
		wanted[r.key()] = true
		if found, ok := there[r.key()]; !ok || !r.matches(found) {
			set = append(set, r)
		}
	}
	for _, floors := range []bool{false, true} {
		for _, r := range have {
			if r.unreachable == floors && !wanted[r.key()] {
				remove = append(remove, r)
			}
		}
	}
	return set, remove
}

// rule is a routing rule with our mark.
type rule struct {
	priority int
	// plain says that the rule does nothing but look our table up.
	plain bool
}

func (r rule) String() string { return fmt.Sprintf("%d: from all lookup %d", r.priority, Table) }

// diffRules says which of the rules with our mark stays; -1 where none is right
// and one must be added. All others go.
func diffRules(have []rule) (keep int) {
	return slices.Index(have, rule{RulePriority, true})
}
