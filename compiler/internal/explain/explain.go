// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Input is a part of the input with the changes that can be made to it.
type Input struct {
	// Name tells the inputs apart.
	Name    string
	Changes []Change
}

// Source is a value of the input that a field follows from.
type Source struct {
	// Input by name, and the path of the value in it.
	Input, Path string
}

// Field is one value of an object and what it follows from.
type Field struct {
	// Path such as spec.hosts[0]; empty for the object as a whole.
	Path string
	// Value as text; empty for the object as a whole.
	Value string
	// From are the sources that the value changes with, Needs those without
	// which there is no such field; both in the order of the inputs. Neither:
	// the field is always there and always the same.
	From, Needs []Source
}

// Object returns every value of an object, in the order of the paths, after the
// object as a whole. build makes the object anew from the input as it is at the
// moment; nil where there is none.
func Object(build func() map[string]any, inputs []Input) []Field {
	base := flatten(build())
	from, needs := map[string][]Source{}, map[string][]Source{}
	for _, in := range inputs {
		var inside []string
		// What is in a block comes after it, and is tried before it.
		for _, c := range slices.Backward(in.Changes) {
			if c.Block && slices.ContainsFunc(inside, func(path string) bool { return path == c.Path || within(path, c.Path) }) {
				continue
			}
			changed, gone := c.effect(build, base)
			for _, path := range changed {
				from[path] = append(from[path], Source{in.Name, c.Path})
			}
			for _, path := range gone {
				needs[path] = append(needs[path], Source{in.Name, c.Path})
			}
			if len(changed)+len(gone) > 0 {
				inside = append(inside, c.Path)
			}
		}
	}
	out := []Field{{Needs: deepest(needs[""])}}
	for _, path := range slices.SortedFunc(maps.Keys(base), comparePaths) {
		f := Field{Path: path, Value: base[path], From: deepest(from[path])}
		f.Needs = slices.DeleteFunc(deepest(needs[path]), func(s Source) bool { return slices.Contains(f.From, s) })
		out = append(out, f)
	}
	return out
}

// effect returns the fields that are different after any variant of a change,
// and those that are not there; both sorted. The empty path is gone where the
// object itself is.
func (c Change) effect(build func() map[string]any, base map[string]string) (changed, gone []string) {
	other, away := map[string]bool{}, map[string]bool{}
	for _, variant := range c.Variants {
		undo := variant()
		after := attempt(build)
		undo()
		if after == nil {
			away[""] = true
			continue
		}
		values := flatten(after)
		for path, value := range base {
			if got, there := values[path]; !there {
				away[path] = true
			} else if got != value {
				other[path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(other)), slices.Sorted(maps.Keys(away))
}

// within tells whether a path lies in a block.
func within(path, block string) bool {
	return len(path) > len(block) && strings.HasPrefix(path, block) && strings.ContainsRune(".[", rune(path[len(block)]))
}

// attempt builds from input that may be wrong: a change can be to a value that
// was never allowed, and then there is no object.
func attempt(build func() map[string]any) (out map[string]any) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	return build()
}

// deepest drops what only contains another source of the same input, and
// brings the rest into the order in which it stands there.
func deepest(all []Source) []Source {
	out := slices.DeleteFunc(slices.Clone(all), func(outer Source) bool {
		return slices.ContainsFunc(all, func(inner Source) bool { return inner.Input == outer.Input && within(inner.Path, outer.Path) })
	})
	slices.Reverse(out)
	return slices.Compact(out)
}

// flatten returns the values of an object by their paths; nil where there is
// no object.
func flatten(object map[string]any) map[string]string {
	if object == nil {
		return nil
	}
	out := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, item := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), item)
			}
			if len(v) == 0 {
				out[path] = "{}"
			}
		case []any:
			for i, item := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), item)
			}
			if len(v) == 0 {
				out[path] = "[]"
			}
		default:
			out[path] = fmt.Sprint(v)
		}
	}
	walk("", object)
	return out
}

// comparePaths orders paths, with the items of lists by their number.
func comparePaths(a, b string) int {
	as, bs := strings.FieldsFunc(a, cut), strings.FieldsFunc(b, cut)
	for i := range min(len(as), len(bs)) {
		if c := cmp.Or(cmp.Compare(digits(as[i]), digits(bs[i])), cmp.Compare(as[i], bs[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

func cut(r rune) bool { return r == '.' || r == '[' || r == ']' }

// digits is the length of a number, zero for what is none, so that numbers of
// one length compare like texts.
func digits(text string) int {
	if strings.Trim(text, "0123456789") == "" {
		return len(text)
	}
	return 0
}
