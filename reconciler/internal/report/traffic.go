// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler"
)

// shareKey names one backend of one tier.
type shareKey struct {
	consumer, service, rule, backend string
	tier                             int32
}

func keyOf(t compiler.Traffic) shareKey {
	return shareKey{t.Consumer, t.Service, t.Rule, t.Backend, t.Tier}
}

// CompareTraffic returns the shares that differ, sorted by consumer, service,
// rule and tier; the backends of a tier stay as they come.
func CompareTraffic(before, after []compiler.Traffic) []Share {
	old := map[shareKey]int32{}
	for _, t := range before {
		old[keyOf(t)] = t.Permille
	}
	var shares []Share
	now := map[shareKey]bool{}
	for _, t := range after {
		key := keyOf(t)
		now[key] = true
		was, had := old[key]
		if had && was == t.Permille {
			continue
		}
		share := newShare(t)
		share.After = &t.Permille
		if had {
			share.Before = &was
		}
		shares = append(shares, share)
	}
	for _, t := range before {
		if !now[keyOf(t)] {
			share := newShare(t)
			share.Before = &t.Permille
			shares = append(shares, share)
		}
	}
	slices.SortStableFunc(shares, func(a, b Share) int {
		return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Service, b.Service),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Tier, b.Tier))
	})
	return shares
}

func newShare(t compiler.Traffic) Share {
	return Share{Consumer: t.Consumer, Service: t.Service, Rule: t.Rule, Tier: t.Tier, Backend: t.Backend}
}

// trafficLines returns one line per share, such as
//
//	reviews@cluster1: cluster2/v3 75 → 50 %
//
// with the namespace where two have a service of that name, and with the rule
// and the tier where there are several.
func trafficLines(shares []Share) []string {
	lines := make([]string, len(shares))
	for i, s := range shares {
		lines[i] = fmt.Sprintf("%s@%s%s: %s %s", shortName(s, shares), s.Consumer, place(s, shares), s.Backend, change(s))
	}
	return lines
}

func shortName(s Share, all []Share) string {
	_, name, _ := strings.Cut(s.Service, "/")
	for _, other := range all {
		if _, n, _ := strings.Cut(other.Service, "/"); n == name && other.Service != s.Service {
			return s.Service
		}
	}
	return name
}

// place names the rule and the tier where the lines would not tell them apart.
func place(s Share, all []Share) string {
	rules, tiers := false, s.Tier > 0
	for _, other := range all {
		if other.Consumer == s.Consumer && other.Service == s.Service {
			rules = rules || other.Rule != s.Rule
			tiers = tiers || other.Tier != s.Tier
		}
	}
	out := ""
	if rules {
		out += " rule " + s.Rule
	}
	if tiers {
		out += fmt.Sprintf(" tier %d", s.Tier)
	}
	return out
}

func change(s Share) string {
	switch {
	case s.Before == nil:
		return fmt.Sprintf("new %s %%", percent(*s.After))
	case s.After == nil:
		return fmt.Sprintf("removed (was %s %%)", percent(*s.Before))
	}
	return fmt.Sprintf("%s → %s %%", percent(*s.Before), percent(*s.After))
}

// percent writes a number of permille as percent, without needless zeros.
func percent(permille int32) string {
	if permille%10 == 0 {
		return fmt.Sprint(permille / 10)
	}
	return fmt.Sprintf("%d.%d", permille/10, permille%10)
}
