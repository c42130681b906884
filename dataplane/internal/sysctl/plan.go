// SPDX-License-Identifier: Apache-2.0

package sysctl

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// Setting is one parameter.
type Setting struct {
	// Name as below /proc/sys, such as "net/ipv4/ip_forward".
	Name  string
	Value string
	// Recorded says that the value found is kept for the clean-up.
	Recorded bool
}

// Want is what a State needs. Only a gateway needs anything.
func Want(s desired.State) []Setting {
	if s.Tunnel == nil {
		return nil
	}
	return []Setting{
		{Name: "net/ipv4/ip_forward", Value: "1", Recorded: true},
		// Loose: replies may come by another tunnel than the one that the
		// route back would take, once there are several.
		{Name: "net/ipv4/conf/" + s.Tunnel.Name + "/rp_filter", Value: "2"},
	}
}

// toRestore are the settings of a record that still have the value that was
// set. One that somebody changed since is theirs.
func toRestore(record map[string]entry, now func(name string) (string, bool)) []Setting {
	var out []Setting
	for name, e := range record {
		if v, found := now(name); found && v == e.Set && v != e.Found {
			out = append(out, Setting{Name: name, Value: e.Found})
		}
	}
	slices.SortFunc(out, func(a, b Setting) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// entry is a parameter in the record.
type entry struct {
	// Found is the value before the first change, Set the one that was set.
	Found string `json:"found"`
	Set   string `json:"set"`
}
