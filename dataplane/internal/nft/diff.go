// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"maps"
	"slices"
	"strings"
)

// change is what one transaction does. It is a value; print.go says it in words
// and kernel.go to nft.
type change struct {
	// rebuild replaces the whole table first.
	rebuild bool
	// sets and chains are made: all of them or none.
	sets   []set
	chains []chain
	// deletes come before adds, in one transaction.
	deletes, adds []element
	// staleChains and staleSets are not ours to have any more.
	staleChains []string
	staleSets   []observedSet
}

// element is one element of a set or map.
type element struct {
	set        set
	key, value string
}

// empty says that there is nothing to do.
func (c change) empty() bool {
	return !c.rebuild && len(c.sets) == 0 && len(c.chains) == 0 && len(c.deletes) == 0 &&
		len(c.adds) == 0 && len(c.staleChains) == 0 && len(c.staleSets) == 0
}

// diff computes what is changed first, and what is only removed afterwards.
func diff(want content, have observed) (now, later change) {
	if have.missing || !sameShape(have) {
		return build(want, have)
	}
	for _, s := range sets() {
		deletes, adds, rest := diffElements(s, want[s.name], have.content[s.name])
		now.deletes, now.adds = append(now.deletes, deletes...), append(now.adds, adds...)
		later.deletes = append(later.deletes, rest...)
	}
	for _, name := range slices.Sorted(maps.Keys(have.chains)) {
		if !slices.ContainsFunc(chains(), func(c chain) bool { return c.name == name }) {
			later.staleChains = append(later.staleChains, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.sets)) {
		if !slices.ContainsFunc(sets(), func(s set) bool { return s.name == name }) {
			later.staleSets = append(later.staleSets, have.sets[name])
		}
	}
	return now, later
}

// build makes the whole table, in the place of one that is there. Elements that
// are not wanted stay until they may be removed, where their set is like ours.
func build(want content, have observed) (now, later change) {
	now = change{rebuild: !have.missing, sets: sets(), chains: chains()}
	for _, s := range sets() {
		old := have.content[s.name]
		if found, ok := have.sets[s.name]; !ok || !s.like(found) {
			old = nil
		}
		_, adds, _ := diffElements(s, want[s.name], nil)
		_, _, rest := diffElements(s, want[s.name], old)
		now.adds = append(append(now.adds, adds...), rest...)
		later.deletes = append(later.deletes, rest...)
	}
	return now, later
}

// sameShape says that chains, rules and sets of ours are there as we want them.
// Rules are not written beside sets that are there: nft 1.0.6 refuses a rule
// that looks up a map with keys by typeof which it did not itself define
// ("conflicting protocols specified: tcp vs. th").
func sameShape(have observed) bool {
	for _, s := range sets() {
		if found, ok := have.sets[s.name]; !ok || !s.like(found) {
			return false
		}
	}
	for _, c := range chains() {
		found, ok := have.chains[c.name]
		if !ok || found.kind != c.kind || found.hook != c.hook || found.priority != c.priority ||
			!slices.Equal(found.comments, comments(c)) {
			return false
		}
	}
	return true
}

// like says that a set that is there can take our elements. Newer versions of
// nft print typeof in a way of their own; then the type is not known, and taken
// to be right.
func (s set) like(found observedSet) bool {
	key, value := s.jsonTypes()
	known := found.key != "" && (found.value != "" || !found.isMap)
	same := found.key == key && found.value == value
	return found.isMap == (s.value != "") && found.interval == s.interval && (!known || same)
}

// comments are the comments of a chain's rules, in order.
func comments(c chain) []string {
	var out []string
	for _, r := range c.rules {
		out = append(out, r.comment())
	}
	return out
}

// diffElements compares the elements of one set. What stands in the way of an
// addition is deleted in the same transaction; the rest later.
func diffElements(s set, want, have elements) (deletes, adds, later []element) {
	added := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, found := have[key]
		if found && value == want[key] {
			continue
		}
		if found {
			deletes = append(deletes, element{s, key, value})
		}
		adds = append(adds, element{s, key, want[key]})
		added[group(key)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, wanted := want[key]; wanted {
			continue
		}
		e := element{s, key, have[key]}
		if s.interval && inTheWay(key, added) {
			deletes = append(deletes, e)
		} else {
			later = append(later, e)
		}
	}
	return deletes, adds, later
}

// group is what keys that can conflict have in common: the service of a slot,
// and for a prefix itself.
func group(key string) string {
	if i := strings.LastIndex(key, separator); i >= 0 {
		return key[:i]
	}
	return key
}

// inTheWay says that a key conflicts with one of the added groups.
func inTheWay(key string, added map[string]bool) bool {
	if strings.Contains(key, separator) {
		return added[group(key)]
	}
	p := parseKey(key)
	for g := range added {
		if q := parseKey(g); p.IsValid() && q.IsValid() && p.Overlaps(q) {
			return true
		}
	}
	return false
}
