// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
)

// oneOfSeveral tells whether the istiod of a cluster configures others besides.
func oneOfSeveral(c *fleet.Cluster) bool {
	home := c.Mesh.ControlPlane
	return home != nil && slices.ContainsFunc(c.Set.Clusters, func(other *fleet.Cluster) bool { return other != c && other.Mesh.ControlPlane == home })
}

// fellows are the other clusters that the istiod of a cluster configures.
func fellows(c *fleet.Cluster) []*fleet.Cluster {
	var out []*fleet.Cluster
	for _, other := range c.Set.Clusters {
		if other != c && c.Mesh.ControlPlane != nil && other.Mesh.ControlPlane == c.Mesh.ControlPlane {
			out = append(out, other)
		}
	}
	return out
}

// plainStrangers are the clusters of a consumer's control plane that export a
// service by the documents, the consumer's own among them.
func plainStrangers(s *fleet.Service, c *fleet.Cluster) []Stranger {
	var out []Stranger
	for _, other := range append(fellows(c), c) {
		if s.ExportedBy(other) {
			out = append(out, Stranger{Cluster: other.Name, Any: true})
		}
	}
	return out
}

// strangers finds out which clusters of the consumer's control plane have pods of
// the service though they do not export it. A chain that they would get a part
// of is its head alone until they are gone.
func (b *builder) strangers(out *Service, at consumer) {
	s, home := at.service, at.cluster
	var found []Stranger
	for _, c := range append(fellows(home), home) {
		svc, there := c.Facts.Service(s.Namespace, s.Name)
		switch {
		case s.ExportedBy(c):
		case c.Facts.State == fleet.Unreachable:
			if slices.ContainsFunc(out.Import.Rules, func(r Rule) bool { return r.minds(Stranger{Cluster: c.Name, Any: true}) }) {
				b.hold(home, out.Fragment, c, "whether Service "+s.Key()+" has pods there, which does not export it")
			}
		case c.Facts.State == fleet.Unknown:
			found = append(found, Stranger{Cluster: c.Name, Any: true})
		case there && len(svc.Workloads) > 0:
			stranger := Stranger{Cluster: c.Name}
			for _, w := range svc.Workloads {
				stranger.Pods = append(stranger.Pods, w.Labels)
			}
			found = append(found, stranger)
		}
	}
	for i, r := range out.Import.Rules {
		for _, stranger := range found {
			if !r.minds(stranger) {
				continue
			}
			why := "has pods of it"
			if stranger.Any {
				why = "was not observed yet and may have pods of it"
			}
			b.pending(home, out.Fragment, "rule %q (%s): %s, which does not offer Service %s, %s; the istiod of %s would send them a part of what one backend leaves to the next, so that none leaves anything",
				r.Label, at.policy.At(at.policy.Rules[i].Path), stranger.Cluster, s.Key(), why, home.Mesh.ControlPlane.Name)
		}
		for _, c := range r.Chains() {
			if c.Uniform().Head.Lost {
				b.pending(home, out.Fragment, "rule %q (%s): %s takes no more requests, and the istiod of %s cannot divide its share between several: the others of its priority have it",
					r.Label, at.policy.At(at.policy.Rules[i].Path), c.Head.Name(), home.Mesh.ControlPlane.Name)
			}
		}
		out.Import.Rules[i].Strangers = append(slices.Clip(r.Strangers), found...)
		b.unseen(out, at, i)
	}
}

// unseen says of the chains of a rule which are their heads alone until somebody
// below them is known.
func (b *builder) unseen(out *Service, at consumer, rule int) {
	r, home := out.Import.Rules[rule], at.cluster
	for _, c := range r.Chains() {
		if len(c.planned().Tiers) == 0 || len(c.Uniform().Tiers) > 0 {
			continue
		}
		for _, o := range c.staying().Tiers[0] {
			if o.Absent {
				b.pending(home, out.Fragment, "rule %q (%s): who the pods of %s are is not known yet; the istiod of %s would send them a part of what %s leaves to the others, so that it leaves nothing",
					r.Label, at.policy.At(at.policy.Rules[rule].Path), o.Name(), home.Mesh.ControlPlane.Name, c.Head.Name())
			}
		}
	}
}

// minds tells whether a chain could be said if a stranger had no pods.
func (r Rule) minds(s Stranger) bool {
	return slices.ContainsFunc(r.Chains(), func(c Chain) bool { return len(c.planned().Tiers) > 0 && c.staying().meets(s) })
}

// named returns every backend of the rule, the one of its mirror last.
func (r Rule) named() []Backend {
	out := slices.Concat(r.Tiers...)
	if r.Copy != nil {
		out = append(out, *r.Copy)
	}
	return out
}

// keptNear finds backends that one istiod for several clusters never sends the
// callers of another cluster to (its pilot/pkg/model, defaultClusterLocalNamespaces
// and defaultClusterLocalServices).
func keptNear(s *fleet.Service, rules []Rule) []need {
	if s.Namespace != "kube-system" && s.Key() != "default/kubernetes" {
		return nil
	}
	for _, r := range rules {
		named := r.named()
		if i := slices.IndexFunc(named, func(b Backend) bool { return b.Member && !b.Local && b.Own() }); i >= 0 {
			return []need{{feature: ClusterLocal, path: named[i].path}}
		}
	}
	return nil
}

// sharedNeeds is what rules need of one istiod that knows the pods of several
// clusters: it keeps the chains of different rules apart, but can tell what
// stands below the first cluster of a chain only by what all have in common.
func sharedNeeds(wanted []need, rules []Rule) []need {
	out := slices.DeleteFunc(slices.Clone(wanted), func(n need) bool { return n.feature == HomeFallbacks || n.feature == RepeatedCluster })
	for _, r := range rules {
		named := r.named()
		if i := slices.IndexFunc(named, func(b Backend) bool { return !b.Own() }); i >= 0 {
			out = append(out, need{feature: SharedOther, path: named[i].path})
		}
		for _, c := range r.Chains() {
			said := c.planned()
			if len(c.staying().Tiers) > 0 && len(said.Tiers) == 0 {
				out = append(out, need{feature: UnlikeChain, path: c.Tiers[0][0].path})
			}
			if len(said.Tiers) > 0 && len(said.Tiers[0]) > 1 {
				out = append(out, need{feature: SharedFallback, path: said.Tiers[0][1].path})
			}
		}
	}
	return out
}
