// SPDX-License-Identifier: Apache-2.0

package fingerprint

import (
	"net/netip"
	"reflect"
	"testing"
)

type inner struct {
	text  string
	Next  *inner
	named *person
}

type person struct{ name, secret string }

type outer struct {
	A, B   string
	List   []inner
	Map    map[string]int32
	Addr   netip.Addr
	Any    any
	Flag   bool
	Number int
	Part   float64
	Bits   uint16
	Fixed  [2]uint8
	At     func()
}

// variants differ in one thing each.
func variants() map[string]any {
	list := func(texts ...string) outer {
		o := outer{List: []inner{}}
		for _, s := range texts {
			o.List = append(o.List, inner{text: s})
		}
		return o
	}
	return map[string]any{
		"zero": outer{}, "other type": inner{}, "a": outer{A: "ab"}, "b": outer{B: "ab"}, "divided": outer{A: "a", B: "b"},
		"empty list": list(), "one": list("ab"), "two": list("a", "b"), "swapped": list("b", "a"), "empty text": list(""),
		"empty map": outer{Map: map[string]int32{}}, "map": outer{Map: map[string]int32{"a": 1}}, "value": outer{Map: map[string]int32{"a": 2}},
		"map of two": outer{Map: map[string]int32{"a": 1, "b": 2}}, "map swapped": outer{Map: map[string]int32{"a": 2, "b": 1}},
		"address": outer{Addr: netip.MustParseAddr("10.0.0.1")}, "mapped": outer{Addr: netip.MustParseAddr("::ffff:10.0.0.1")}, "other address": outer{Addr: netip.MustParseAddr("10.0.0.2")},
		"any": outer{Any: int32(1)}, "any of another type": outer{Any: int64(1)}, "any text": outer{Any: "1"},
		"flag": outer{Flag: true}, "number": outer{Number: 1}, "negative": outer{Number: -1}, "part": outer{Part: 1}, "bits": outer{Bits: 1}, "fixed": outer{Fixed: [2]uint8{1, 0}},
		"pointer": outer{List: []inner{{Next: &inner{}}}}, "deeper": outer{List: []inner{{Next: &inner{text: "a"}}}},
		"person": outer{List: []inner{{named: &person{name: "a"}}}}, "other person": outer{List: []inner{{named: &person{name: "b"}}}},
	}
}

func names() Names {
	return Names{reflect.TypeFor[*person](): func(v any) string { return v.(*person).name }}
}

func TestContentsAreToldApart(t *testing.T) {
	h := New(names())
	seen := map[Sum]string{}
	for name, v := range variants() {
		sum := h.Of(v)
		if other, twice := seen[sum]; twice {
			t.Errorf("%s and %s look alike", name, other)
		}
		seen[sum] = name
		if again := New(names()).Of(variants()[name]); again != sum {
			t.Errorf("%s has two fingerprints", name)
		}
	}
}

func TestWhatIsNoContent(t *testing.T) {
	h := New(names())
	if h.Of(outer{At: func() {}}) != h.Of(outer{}) {
		t.Error("a function counts")
	}
	if h.Of(inner{named: &person{"a", "x"}}) != h.Of(inner{named: &person{"a", "y"}}) {
		t.Error("what a named pointer points at counts")
	}
	if h.Of("a", "b") == h.Of("b", "a") || h.Of("ab", "") == h.Of("a", "b") {
		t.Error("the order of values does not count")
	}
	defer func() {
		if recover() == nil {
			t.Error("a channel has a fingerprint")
		}
	}()
	h.Of(make(chan int))
}
