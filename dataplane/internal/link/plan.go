// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// Kinds of interface, as the kernel names them.
const (
	kindWireGuard = "wireguard"
	kindTUN       = "tun"
)

// observed is an interface that is there.
type observed struct {
	name, kind, alias string
	mtu               int
	up                bool
	addresses         []netip.Prefix
	// dead says that the process behind a TUN interface does not answer.
	dead bool
}

// ours says that the interface carries the mark.
func (o observed) ours() bool { return strings.HasPrefix(o.alias, desired.AliasPrefix) }

// verb is what a change does.
type verb string

const (
	create        verb = "create"
	mark          verb = "set the alias of"
	setMTU        verb = "set the MTU of"
	addAddress    verb = "add the address of"
	bringUp       verb = "bring up"
	remove        verb = "remove"
	removeAddress verb = "remove the address of"
)

// change is one step.
type change struct {
	verb    verb
	name    string
	alias   string
	mtu     int
	address netip.Prefix
	// born is, for a removal, the name that the interface was made with; its
	// process goes by it. Empty where it is the same.
	born string
}

// String is what the change does.
func (c change) String() string {
	s := string(c.verb) + " " + c.name
	switch c.verb {
	case mark, create:
		return fmt.Sprintf("%s (%s)", s, c.alias)
	case setMTU:
		return fmt.Sprintf("%s: %d", s, c.mtu)
	case addAddress, removeAddress:
		return fmt.Sprintf("%s: %s", s, c.address)
	}
	return s
}

// diff computes the changes that make the interfaces match. want is nil where
// there must be none.
func diff(want *desired.Tunnel, have []observed) (add, later []change, err error) {
	there := false
	if want != nil {
		i := slices.IndexFunc(have, func(o observed) bool { return o.name == want.Name })
		var found observed
		if there = i >= 0; there {
			found = have[i]
			if err := adoptable(found); err != nil {
				return nil, nil, err
			}
		}
		add, later = diffOne(want, found, there)
	}
	for _, o := range have {
		switch {
		case !o.ours() || (want != nil && o.name == want.Name):
		case want != nil && o.alias == want.Alias && !there:
			// Somebody renamed it. Its process would be in the way of another.
			add = append([]change{{verb: remove, name: o.name, born: want.Name}}, add...)
		default:
			later = append(later, change{verb: remove, name: o.name})
		}
	}
	return add, later, nil
}

// adoptable refuses an interface that is somebody else's.
func adoptable(o observed) error {
	unmarked := o.alias == "" && (o.kind == kindTUN || o.kind == kindWireGuard)
	if o.ours() || unmarked {
		return nil
	}
	return fmt.Errorf("interface %s is somebody else's (%s, alias %q): rename it", o.name, o.kind, o.alias)
}

// diffOne compares the wanted interface with the one that is there.
func diffOne(want *desired.Tunnel, have observed, found bool) (add, later []change) {
	if found && have.dead {
		add = append(add, change{verb: remove, name: have.name})
		found = false
	}
	if !found {
		add = append(add, change{verb: create, name: want.Name, alias: want.Alias})
		have = observed{alias: want.Alias}
	}
	if have.alias != want.Alias {
		add = append(add, change{verb: mark, name: want.Name, alias: want.Alias})
	}
	if have.mtu != want.MTU {
		add = append(add, change{verb: setMTU, name: want.Name, mtu: want.MTU})
	}
	address := netip.PrefixFrom(want.Address, want.Address.BitLen())
	if !slices.Contains(have.addresses, address) {
		add = append(add, change{verb: addAddress, name: want.Name, address: address})
	}
	if !have.up {
		add = append(add, change{verb: bringUp, name: want.Name})
	}
	for _, a := range have.addresses {
		if a != address {
			later = append(later, change{verb: removeAddress, name: want.Name, address: a})
		}
	}
	return add, later
}
