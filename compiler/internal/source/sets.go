// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// members are the clusters of a set, in the order written.
type members struct {
	all   []cursor
	names []string
}

// checkSet checks what takes more than one field of a ClusterSet, which can
// take time by the square of its lists: lists that are too long were reported
// and are not looked at.
func (c *checker) checkSet(root cursor) {
	spec := root.get("spec")
	var m members
	for _, cluster := range c.bounded(spec.get("clusters")) {
		m.all = append(m.all, cluster)
		m.names = append(m.names, cluster.get("name").text())
	}
	topology := spec.get("connectivity", "topology")
	c.checkNames(m, topology.get("hubs"))
	for _, g := range c.bounded(topology.get("groups")) {
		c.checkNames(m, g.get("clusters"))
		c.checkSelects(m, g)
	}
	for _, t := range c.bounded(spec.get("tenancy")) {
		c.checkNames(m, t.get("clusters"))
	}
	c.checkStages(m, spec)
	c.checkMeshes(m)
	c.checkFamilies(m, spec)
}

// checkNames reports names of a list that no cluster of the set has.
func (c *checker) checkNames(m members, list cursor) {
	for _, item := range c.bounded(list) {
		c.checkName(m, item)
	}
}

// bounded returns the items of a list that is not too long.
func (c *checker) bounded(list cursor) []cursor {
	if c.wrongAt(list.path) {
		return nil
	}
	return list.items()
}

func (c *checker) checkName(m members, x cursor) {
	name := x.text()
	if name == "" || slices.Contains(m.names, name) || c.touches("spec.clusters") && !c.wholeNames(m) {
		return
	}
	fix := "correct the name, or add the cluster to the set"
	if near, ok := c.guess(name, m.names); ok {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	c.say(x.place(), diag.CodeNoSuchCluster, fmt.Sprintf("the set has no cluster %s", quote(name)), fix)
}

// wholeNames tells whether the name of every cluster could be read.
func (c *checker) wholeNames(m members) bool {
	return !c.wrongAt("spec.clusters") && !slices.Contains(m.names, "") &&
		!slices.ContainsFunc(m.all, func(x cursor) bool { return c.wrongAt(join(x.path, "name")) && x.get("name").text() == "" })
}

// selects returns which clusters a selector chooses, by place in the set.
func (m members) selects(x cursor) []int {
	var chosen []int
	labels := x.get("matchLabels")
	for i, cluster := range m.all {
		named := slices.ContainsFunc(x.get("clusters").items(), func(item cursor) bool { return item.text() == m.names[i] })
		if named || labels.says() && cluster.get("labels").hasAll(labels) {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// hasAll tells whether a label map has all entries of another.
func (x cursor) hasAll(other cursor) bool {
	for _, f := range other.n.fields {
		if x.n.get(f.key) == nil || x.n.get(f.key).text != f.value.text {
			return false
		}
	}
	return true
}

// checkSelects reports labels that no cluster has.
func (c *checker) checkSelects(m members, x cursor) {
	labels := x.get("matchLabels")
	if labels.says() && !c.touches("spec.clusters") && !c.touches(labels.path) && len(m.selects(x)) == 0 {
		c.say(labels.place(), diag.CodeNoSuchCluster, "no cluster of the set has these labels", "correct them, or label a cluster")
	}
}

// checkStages: each cluster changes in exactly one stage.
func (c *checker) checkStages(m members, spec cursor) {
	stages := spec.get("rollout", "stages")
	items := c.bounded(stages)
	in := map[int]cursor{}
	rest := false
	for i, s := range items {
		c.checkNames(m, s.get("clusters"))
		c.checkSelects(m, s)
		if !s.get("clusters").says() && !s.get("matchLabels").says() {
			rest = true
			if i < len(items)-1 {
				c.say(s.place(), diag.CodeStages, "a stage without clusters takes all that are left, so the stages below it have none", "give it clusters or matchLabels, or move it to the end")
			}
		}
		for _, k := range m.selects(s) {
			if before, twice := in[k]; twice {
				c.say(s.place(), diag.CodeStages, fmt.Sprintf("cluster %s is in two stages", quote(m.names[k])), "leave it in one of them")
				c.last().Related = []diag.Related{{Position: before.at, Message: "the first one"}}
				continue
			}
			in[k] = s
		}
	}
	if len(items) == 0 || rest || c.touches(stages.path) || c.touches("spec.clusters") {
		return
	}
	for k, name := range m.names {
		if _, ok := in[k]; !ok {
			c.say(stages.place(), diag.CodeStages, fmt.Sprintf("cluster %s is in no stage, so no change would ever reach it", quote(name)), "add a last stage without clusters; it takes all that are left")
			c.last().Related = []diag.Related{{Position: m.all[k].at, Message: "the cluster"}}
			return
		}
	}
}

// checkMeshes checks the istio blocks against each other.
func (c *checker) checkMeshes(m members) {
	for i, cluster := range m.all {
		istio := cluster.get("istio")
		if !istio.there() || c.wrongAt(istio.path) {
			continue
		}
		if p := cluster.get("providers"); !c.touches(p.path) && p.get("eastWest").text() != string(v1alpha1.EastWestIstio) &&
			p.get("northSouth").text() != string(v1alpha1.NorthSouthIstio) {
			c.say(istio.place(), diag.CodeIstioUnused, "the mesh is described, but no provider of the cluster is istio", "write eastWest: istio in providers, or remove the block")
		}
		c.checkControlPlane(m, i)
		c.checkNetwork(m, i)
	}
}

// controlPlane returns the cluster whose istiod a cluster has, by name.
func (m members) controlPlane(i int) string {
	return cmp.Or(m.all[i].get("istio", "controlPlane").text(), m.names[i])
}

// checkControlPlane: the cluster named runs an istiod of its own.
func (c *checker) checkControlPlane(m members, i int) {
	istio := m.all[i].get("istio")
	f := istio.get("controlPlane")
	if f.text() == "" || f.text() == m.names[i] || c.touches(f.path) {
		return
	}
	c.checkName(m, f)
	k := slices.Index(m.names, f.text())
	if k < 0 || c.touches(m.all[k].path) {
		return
	}
	other := m.all[k]
	say := func(at cursor, message, fix string, related cursor, what string) {
		c.say(at.place(), diag.CodeControlPlane, message, fix)
		c.last().Related = []diag.Related{{Position: related.at, Message: what}}
	}
	switch {
	case other.get("providers", "eastWest").text() != string(v1alpha1.EastWestIstio):
		say(f, fmt.Sprintf("cluster %s has no istiod: its eastWest provider is not istio", quote(f.text())), "name a cluster with eastWest: istio", other.get("providers", "eastWest"), "its provider")
	case m.controlPlane(k) != m.names[k]:
		say(f, fmt.Sprintf("cluster %s has no istiod of its own", quote(f.text())), fmt.Sprintf("write %s", m.controlPlane(k)), other.get("istio", "controlPlane"), "its control plane")
	case other.get("state").text() == string(v1alpha1.ClusterRemoved):
		say(f, fmt.Sprintf("cluster %s leaves the set, and the control plane with it", quote(f.text())), "keep it as long as others need it", other.get("state"), "its state")
	}
	// These are of the whole mesh, which is configured there.
	for name, otherwise := range map[string]string{"trustDomain": "cluster.local", "rootNamespace": v1alpha1.DefaultRootNamespace, "mutualTLS": ""} {
		here, there := istio.get(name), other.get("istio", name)
		if here.there() && here.text() != cmp.Or(there.text(), otherwise) {
			say(here, fmt.Sprintf("%s is one for the whole mesh, and the control plane in %s has another", name, quote(f.text())), "write it there, and remove it here", there, "the mesh")
		}
	}
}

// checkNetwork: pods of one network call each other directly, which takes one
// control plane that knows the pods of both clusters.
func (c *checker) checkNetwork(m members, i int) {
	f := m.all[i].get("istio", "network")
	if f.text() == "" || c.touches(f.path) {
		return
	}
	for k := range i {
		other := m.all[k].get("istio", "network")
		if other.text() == f.text() && m.controlPlane(k) != m.controlPlane(i) {
			c.say(f.place(), diag.CodeMeshNetwork, fmt.Sprintf("clusters %s and %s have one network and two control planes, which do not know each other's pods", quote(m.names[k]), quote(m.names[i])),
				"give each its own network, or both one controlPlane")
			c.last().Related = []diag.Related{{Position: other.at, Message: "the other one"}}
			return
		}
	}
}

// tunnels tells whether Fairlead's tunnels join a cluster to others.
func (m members) tunnels(i int) bool {
	p := m.all[i].get("providers")
	if tunnel := p.get("tunnel").text(); tunnel != "" {
		return tunnel == string(v1alpha1.TunnelFairlead)
	}
	eastWest := p.get("eastWest").text()
	return eastWest == "" || eastWest == string(v1alpha1.EastWestFairlead)
}

// checkFamilies: Fairlead's tunnels carry IPv4 alone.
func (c *checker) checkFamilies(m members, spec cursor) {
	capable := false
	for i, cluster := range m.all {
		if !m.tunnels(i) {
			capable = true
			continue
		}
		for _, list := range []string{"podCIDRs", "serviceCIDRs"} {
			for _, item := range cluster.get("network", list).items() {
				c.onlyIPv4(item, "tunnels carry only IPv4 so far", "leave the IPv6 range out, or write tunnel: none")
			}
		}
		for _, item := range cluster.get("istio", "eastWestGateway", "addresses").items() {
			c.onlyIPv4(item, "tunnels carry only IPv4 so far", "write an IPv4 address, or tunnel: none")
		}
	}
	if f := spec.get("addresses", "clustersetIPv6"); f.there() && !capable && !c.touches(f.path) && !c.touches("spec.clusters") {
		c.say(f.place(), diag.CodeIPv6, "no service would get such an address: every cluster has Fairlead's tunnels, which carry only IPv4 so far", "remove the line")
	}
}

func (c *checker) onlyIPv4(x cursor, message, fix string) {
	text := x.text()
	p, err := netip.ParsePrefix(text)
	if err == nil {
		text = p.Addr().String()
	}
	if a, err := netip.ParseAddr(text); err == nil && !a.Is4() && !c.touches(x.path) {
		c.say(x.place(), diag.CodeIPv6, fmt.Sprintf("%q is IPv6: %s", x.text(), message), fix)
	}
}
