// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// keep decodes a document without mistakes into its Go type and keeps it.
func (l *loader) keep(root *node, kind string, origin Origin) []diag.Diagnostic {
	text, err := json.Marshal(root.value())
	switch kind {
	case v1alpha1.KindClusterSet:
		d := ClusterSet{Origin: origin}
		if err == nil {
			err = json.Unmarshal(text, &d.ClusterSet)
		}
		l.docs.ClusterSets = append(l.docs.ClusterSets, d)
	case v1alpha1.KindTrafficPolicy:
		d := Policy{Origin: origin}
		if err == nil {
			err = json.Unmarshal(text, &d.TrafficPolicy)
		}
		l.docs.Policies = append(l.docs.Policies, d)
	case v1alpha1.KindTrafficTest:
		d := Test{Origin: origin}
		if err == nil {
			err = json.Unmarshal(text, &d.TrafficTest)
		}
		l.docs.Tests = append(l.docs.Tests, d)
	}
	if err != nil {
		return []diag.Diagnostic{disagreement(kind, origin.start)}
	}
	return nil
}

// keepBroken takes in what can be read of a document with mistakes.
func (l *loader) keepBroken(root *node, kind string, origin Origin) {
	switch kind {
	case v1alpha1.KindClusterSet:
		d := ClusterSet{Origin: origin}
		named := readable(root, &d.ClusterSet) && len(d.Spec.Clusters) > 0
		for i, c := range d.Spec.Clusters {
			named = named && c.Name != ""
			d.Spec.Clusters[i] = v1alpha1.Cluster{Name: c.Name}
		}
		d.Spec = v1alpha1.ClusterSetSpec{Clusters: d.Spec.Clusters}
		l.docs.BrokenSets = append(l.docs.BrokenSets, d)
		l.nameless = l.nameless || !named
	case v1alpha1.KindTrafficPolicy:
		d := Policy{Origin: origin}
		if readable(root, &d.TrafficPolicy) {
			l.docs.Broken = append(l.docs.Broken, d)
		}
	}
}

// readable decodes what it can: a value of the wrong type is passed over, and
// what is around it is read.
func readable(root *node, into any) bool {
	text, err := json.Marshal(root.value())
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	wrong := (*json.UnmarshalTypeError)(nil)
	return err == nil || errors.As(err, &wrong)
}

// value returns what a node stands for, as encoding/json represents it.
func (n *node) value() any {
	switch n.kind {
	case mappingNode:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			m[f.key] = f.value.value()
		}
		return m
	case sequenceNode:
		s := make([]any, 0, len(n.items))
		for _, item := range n.items {
			s = append(s, item.value())
		}
		return s
	}
	switch n.tag {
	case "!!int":
		if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.text, 64); err == nil {
			return f
		}
	case "!!bool":
		return n.text == "true" || n.text == "True" || n.text == "TRUE"
	case "!!null":
		return nil
	}
	return n.text
}
