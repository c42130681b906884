// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// observed is the table as nft lists it.
type observed struct {
	missing bool
	sets    map[string]observedSet
	chains  map[string]observedChain
	content content
}

// observedSet is the shape of a set or map.
type observedSet struct {
	name       string
	isMap      bool
	key, value string
	interval   bool
}

// observedChain is the shape of a chain and the comments of its rules.
type observedChain struct {
	kind, hook string
	priority   int
	comments   []string
}

// listing is the JSON of nft(8), libnftables-json(5), as far as we read it.
type listing struct {
	Nftables []struct {
		Set   *jsonSet   `json:"set"`
		Map   *jsonSet   `json:"map"`
		Chain *jsonChain `json:"chain"`
		Rule  *jsonRule  `json:"rule"`
	} `json:"nftables"`
}

type jsonSet struct {
	Name  string            `json:"name"`
	Type  any               `json:"type"`
	Map   any               `json:"map"`
	Flags any               `json:"flags"`
	Elem  []json.RawMessage `json:"elem"`
}

type jsonChain struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Hook     string `json:"hook"`
	Priority int    `json:"prio"`
}

type jsonRule struct {
	Chain   string `json:"chain"`
	Comment string `json:"comment"`
}

// parse reads a listing of the table.
func parse(out []byte) (observed, error) {
	var l listing
	if err := json.Unmarshal(out, &l); err != nil {
		return observed{}, fmt.Errorf("read nft's listing: %w", err)
	}
	o := observed{sets: map[string]observedSet{}, chains: map[string]observedChain{}, content: content{}}
	for _, x := range l.Nftables {
		var err error
		switch {
		case x.Set != nil:
			err = o.addSet(x.Set, false)
		case x.Map != nil:
			err = o.addSet(x.Map, true)
		case x.Chain != nil:
			o.chains[x.Chain.Name] = observedChain{kind: x.Chain.Type, hook: x.Chain.Hook, priority: x.Chain.Priority}
		case x.Rule != nil:
			c := o.chains[x.Rule.Chain]
			c.comments = append(c.comments, x.Rule.Comment)
			o.chains[x.Rule.Chain] = c
		}
		if err != nil {
			return observed{}, err
		}
	}
	return o, nil
}

// addSet reads a set or map and its elements.
func (o *observed) addSet(j *jsonSet, isMap bool) error {
	o.sets[j.Name] = observedSet{
		name: j.Name, isMap: isMap, key: typeText(j.Type), value: typeText(j.Map),
		interval: strings.Contains(fmt.Sprint(j.Flags), "interval"),
	}
	if !slices.ContainsFunc(sets(), func(s set) bool { return s.name == j.Name }) {
		return nil // it goes as a whole, whatever is in it
	}
	o.content[j.Name] = elements{}
	for _, raw := range j.Elem {
		key, value := raw, json.RawMessage(nil)
		if isMap {
			var pair []json.RawMessage
			if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
				return fmt.Errorf("read nft's listing: element %s of map %s", raw, j.Name)
			}
			key, value = pair[0], pair[1]
		}
		k, err := elementText(key)
		if err != nil {
			return fmt.Errorf("read nft's listing: element of %s: %w", j.Name, err)
		}
		v := ""
		if isMap {
			if v, err = elementText(value); err != nil {
				return fmt.Errorf("read nft's listing: value of %s: %w", j.Name, err)
			}
		}
		o.content[j.Name][k] = v
	}
	return nil
}

// typeText is a type: one name, or a list of them for a concatenation.
func typeText(t any) string {
	switch t := t.(type) {
	case string:
		return t
	case []any:
		parts := make([]string, len(t))
		for i, p := range t {
			parts[i] = fmt.Sprint(p)
		}
		return concat(parts...)
	}
	return ""
}

// elementText is an element in nft's own notation.
func elementText(raw json.RawMessage) (string, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", err
	}
	return valueText(v)
}

func valueText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case float64:
		return fmt.Sprint(int64(v)), nil
	case map[string]any:
		return objectText(v)
	}
	return "", fmt.Errorf("%v is not understood", v)
}

// objectText reads a prefix, a range, a concatenation or a wrapped value.
func objectText(v map[string]any) (string, error) {
	if p, ok := v["prefix"].(map[string]any); ok {
		return fmt.Sprintf("%v/%v", p["addr"], p["len"]), nil
	}
	if w, ok := v["elem"].(map[string]any); ok {
		return valueText(w["val"])
	}
	between := map[string]string{"range": "-", "concat": separator}
	for name, sep := range between {
		list, ok := v[name].([]any)
		if !ok {
			continue
		}
		parts := make([]string, len(list))
		for i, x := range list {
			text, err := valueText(x)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		return strings.Join(parts, sep), nil
	}
	return "", fmt.Errorf("%v is not understood", v)
}
