// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Chain says who takes the share of one backend of the first tier when it is
// lost: the lower tiers in order and, after the last, its siblings.
type Chain struct {
	Head Backend
	// Tiers below the head.
	Tiers [][]Backend
	// Strangers as in Rule.
	Strangers []Stranger
}

// Chains returns one chain for each backend of the first tier. After the last
// tier what is left goes to the siblings by weight; of several subsets of one
// cluster the heaviest stands for all, because a chain can name a cluster only
// once. A chain that is mixed is its head alone; so is one that is nothing but a
// head of another istiod once those on their way out of the set are left out.
func (r Rule) Chains() []Chain {
	out := r.chains()
	for i, c := range out {
		if r.beside() && (c.mixed() != nil || c.staying().Head.apart) {
			out[i] = c.head()
		}
	}
	return out
}

// beside tells whether a backend is of another istiod than the consumer, and one
// of the two has several clusters: no other chain is mixed.
func (r Rule) beside() bool {
	for _, tier := range r.Tiers {
		if slices.ContainsFunc(tier, func(b Backend) bool { return b.apart || b.plane != "" }) {
			return true
		}
	}
	return false
}

// mixed finds a backend that makes one of the chains its head alone; nil where
// there is none.
func (r Rule) mixed() *Backend {
	if !r.beside() {
		return nil
	}
	for _, c := range r.chains() {
		if b := c.mixed(); b != nil {
			return b
		}
	}
	return nil
}

// chains are what the rule asks for.
func (r Rule) chains() []Chain {
	if len(r.Tiers) == 0 {
		return nil
	}
	var out []Chain
	for i, head := range r.Tiers[0] {
		c := Chain{Head: head, Tiers: head.below(head.joined(r.Tiers[1:])), Strangers: r.Strangers}
		in := map[string]bool{head.Cluster: true}
		for _, tier := range c.Tiers {
			for _, b := range tier {
				in[b.Cluster] = true
			}
		}
		if last := head.joined([][]Backend{siblings(r.Tiers[0], i, in)}); len(last) > 0 {
			c.Tiers = append(c.Tiers, head.below(last)...)
		}
		out = append(out, c)
	}
	return out
}

// Own tells whether the backend is the policy's own service.
func (b Backend) Own() bool { return b.Namespace == "" && b.Service == "" }

// joined returns the backends that can stand in one chain with a head: others
// of the policy's own service and of the same port.
func (b Backend) joined(tiers [][]Backend) [][]Backend {
	var out [][]Backend
	for _, tier := range tiers {
		tier = slices.DeleteFunc(slices.Clone(tier), func(o Backend) bool { return !b.Own() || !o.Own() || b.Port != o.Port })
		if len(tier) > 0 {
			out = append(out, tier)
		}
	}
	return out
}

// below returns tiers as a chain has them below its head: pods of the consumer's
// own cluster stand behind its gateway there, which takes connections whether
// any is known or not.
func (b Backend) below(tiers [][]Backend) [][]Backend {
	var out [][]Backend
	for _, tier := range tiers {
		tier = slices.Clone(tier)
		for i, o := range tier {
			tier[i].Absent = o.Absent || o.Local && len(o.Identities) == 0 || !b.Member && o.indistinct()
		}
		out = append(out, tier)
	}
	return out
}

// indistinct tells whether pods of the consumer's own cluster, where they stand
// below another one, are reached at an export address: that stands for every pod
// of the Service, whatever labels a subset has.
func (b Backend) indistinct() bool { return b.Local && b.Gateway == nil && len(b.Labels) > 0 }

// siblings returns the other backends of a tier, one for each cluster that is
// not in the chain yet.
func siblings(tier []Backend, head int, in map[string]bool) []Backend {
	best := map[string]Backend{}
	var order []string
	for i, b := range tier {
		if i == head || in[b.Cluster] {
			continue
		}
		if was, ok := best[b.Cluster]; !ok {
			order = append(order, b.Cluster)
			best[b.Cluster] = b
		} else if b.Weight > was.Weight {
			best[b.Cluster] = b
		}
	}
	var out []Backend
	for _, cluster := range order {
		out = append(out, best[cluster])
	}
	return out
}

// mixed finds a backend that makes the chain one that cannot be said; nil where
// there is none. Where the consumer's istiod has several clusters, all of a chain
// are its own. Where another one has, the chain's name stands for one set of labels
// in all of its clusters, and the gateway of each passes requests on to all such
// pods of its network.
func (c Chain) mixed() *Backend {
	all := c.staying().Members()
	for i, b := range all {
		if len(all) > 1 && b.apart {
			return &all[i]
		}
		for _, o := range all[:i] {
			if b.plane != "" && b.plane == o.plane && (b.crowded || o.crowded || !maps.Equal(b.Labels, o.Labels)) {
				return &all[i]
			}
		}
	}
	return nil
}

// head is the chain without what stands below its head. Who takes the place of
// one that is on its way out of the set has that one's share.
func (c Chain) head() Chain {
	out := Chain{Head: c.staying().Head, Strangers: c.Strangers}
	out.Head.Weight = c.Head.Weight
	return out
}

// Members returns the head and everything below it.
func (c Chain) Members() []Backend {
	out := []Backend{c.Head}
	for _, tier := range c.Tiers {
		out = append(out, tier...)
	}
	return out
}

// Repeats names a cluster that stands more than once in the chain, empty where
// none does.
func (c Chain) Repeats() string {
	seen := map[string]bool{}
	for _, b := range c.Members() {
		if seen[b.Cluster] {
			return b.Cluster
		}
		seen[b.Cluster] = true
	}
	return ""
}

// Uniform returns the chain as far as one istiod for several clusters can say
// it: the head, and below it at once all the others that have pods of the same
// labels, if nobody else has such pods. Of any other chain that is the head
// alone. What is on its way out of the set is left out; where such a head leaves
// its share to several, nothing can be said, and it stays.
func (c Chain) Uniform() Chain {
	c = c.staying()
	if c.alike() && !slices.ContainsFunc(c.Strangers, c.meets) && !slices.ContainsFunc(c.Tiers[0], func(b Backend) bool { return b.Absent }) {
		return c
	}
	return Chain{Head: c.Head}
}

// planned is Uniform as far as documents tell: the pods of all backends may be
// known in time.
func (c Chain) planned() Chain {
	c = c.staying()
	for i, tier := range c.Tiers {
		c.Tiers[i] = slices.Clone(tier)
		for j := range c.Tiers[i] {
			c.Tiers[i][j].Absent = false
		}
	}
	return c.Uniform()
}

// staying is the chain without what is on its way out of the set.
func (c Chain) staying() Chain {
	var tiers [][]Backend
	for _, tier := range c.Tiers {
		if tier = slices.DeleteFunc(slices.Clone(tier), func(b Backend) bool { return b.Lost }); len(tier) > 0 {
			tiers = append(tiers, tier)
		}
	}
	c.Tiers = tiers
	if c.Head.Lost && len(tiers) > 0 && len(tiers[0]) == 1 {
		c.Head, c.Tiers = tiers[0][0], tiers[1:]
	}
	return c
}

// alike tells whether all that stands below the head stands there at once, with
// pods of the same labels, and no gateway passes requests to others as well.
func (c Chain) alike() bool {
	return !c.Head.Lost && len(c.Tiers) == 1 && !slices.ContainsFunc(c.Members(), func(b Backend) bool {
		return !maps.Equal(b.Labels, c.Head.Labels) || b.crowded && !b.Near
	})
}

// meets tells whether a cluster that is not in the chain has pods with the labels
// of the head, or may have.
func (c Chain) meets(s Stranger) bool {
	in := slices.ContainsFunc(c.Members(), func(b Backend) bool { return b.Cluster == s.Cluster })
	return !in && (s.Any || slices.ContainsFunc(s.Pods, func(labels map[string]string) bool { return subsetOf(c.Head.Labels, labels) }))
}

// ID identifies what the chain is made of, whatever its weights.
func (c Chain) ID() string {
	return c.Head.ident() + ">" + names(c.Tiers)
}

// Gateways identifies the clusters of the chain whose gateways something may be
// sent to, and how they share.
func (c Chain) Gateways() string {
	out := c.Head.Cluster + ">" + c.Fallback()
	for _, b := range c.Members() {
		if b.Absent {
			out += "-" + b.Cluster
		}
	}
	return out
}

// Fallback identifies the clusters below the head and how they share.
func (c Chain) Fallback() string {
	var out []string
	for _, tier := range c.Tiers {
		divisor := int64(0)
		for _, b := range tier {
			divisor = gcd(divisor, b.Weight)
		}
		var texts []string
		for _, b := range tier {
			texts = append(texts, fmt.Sprintf("%s*%d", b.Cluster, b.Weight/divisor))
		}
		slices.Sort(texts)
		out = append(out, strings.Join(texts, "+"))
	}
	return strings.Join(out, ">")
}

// Weights identifies how the clusters below the head share; empty where those of
// each tier have the same weight.
func (c Chain) Weights() string {
	unlike := func(tier []Backend) bool {
		return slices.ContainsFunc(tier, func(b Backend) bool { return b.Weight != tier[0].Weight })
	}
	if !slices.ContainsFunc(c.Tiers, unlike) {
		return ""
	}
	return c.Fallback()
}

func names(tiers [][]Backend) string {
	var out []string
	for _, tier := range tiers {
		var texts []string
		for _, b := range tier {
			texts = append(texts, b.ident())
		}
		slices.Sort(texts)
		out = append(out, strings.Join(texts, "+"))
	}
	return strings.Join(out, ">")
}

// ident is the key, with what else tells the backend from others.
func (b Backend) ident() string {
	if b.Own() && b.Port == 0 {
		return b.key()
	}
	return fmt.Sprintf("%s@%s/%s:%d", b.key(), b.Namespace, b.Service, b.Port)
}

// Name is the cluster, or cluster/label=value,… for a subset. The label
// "version" alone, which is the usual one, is left out: cluster2/v3.
func (b Backend) Name() string {
	if v, ok := b.Labels["version"]; ok && len(b.Labels) == 1 {
		return b.Cluster + "/" + v
	}
	return b.key()
}

// key is what tells the backend from every other of its service.
func (b Backend) key() string {
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(b.Labels)) {
		labels = append(labels, k+"="+b.Labels[k])
	}
	if len(labels) == 0 {
		return b.Cluster
	}
	return b.Cluster + "/" + strings.Join(labels, ",")
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// shares divides 1000 by weight; what rounding leaves goes to the largest
// remainders, the first of equals.
func shares(tier []Backend) []int32 {
	total := int64(0)
	for _, b := range tier {
		total += b.Weight
	}
	out := make([]int32, len(tier))
	left, order := int64(1000), make([]int, len(tier))
	for i, b := range tier {
		out[i], order[i] = int32(1000*b.Weight/total), i
		left -= int64(out[i])
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(1000*tier[j].Weight%total, 1000*tier[i].Weight%total)
	})
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}
