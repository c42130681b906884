// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// keep decodes a document into its Go type.
func (l *loader) keep(root *node, kind string, origin Origin) error {
	text, err := json.Marshal(root.value())
	if err != nil {
		return fmt.Errorf("write the %s as JSON: %w", kind, err)
	}
	if kind == v1alpha1.KindClusterSet {
		d := ClusterSet{Origin: origin}
		if err := json.Unmarshal(text, &d.ClusterSet); err != nil {
			return fmt.Errorf("read the %s: %w", kind, err)
		}
		l.docs.ClusterSets = append(l.docs.ClusterSets, d)
		return nil
	}
	d := Policy{Origin: origin}
	if err := json.Unmarshal(text, &d.TrafficPolicy); err != nil {
		return fmt.Errorf("read the %s: %w", kind, err)
	}
	l.docs.Policies = append(l.docs.Policies, d)
	return nil
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
	case brokenNode:
		return nil
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
