// SPDX-License-Identifier: Apache-2.0

package fingerprint

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unsafe"
)

// mapping writes the entries in the order of what they hold.
func (h *Hasher) mapping(t reflect.Type) writer {
	if t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String {
		return labels
	}
	key, value := h.part(t.Key()), h.part(t.Elem())
	return func(out []byte, at unsafe.Pointer) []byte {
		v := reflect.NewAt(t, at).Elem()
		if v.IsNil() {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(v.Len()))
		begin := len(out)
		ends := make([]int, 0, v.Len())
		k, e := reflect.New(t.Key()), reflect.New(t.Elem())
		for i := v.MapRange(); i.Next(); {
			k.Elem().SetIterKey(i)
			e.Elem().SetIterValue(i)
			out = value.write(key.write(out, k.UnsafePointer()), e.UnsafePointer())
			ends = append(ends, len(out))
		}
		if len(ends) > 1 {
			order(out[begin:], begin, ends)
		}
		return out
	}
}

// few entries of most labels fit on the stack.
const few = 8

// labels is mapping for texts by text: most maps are labels.
func labels(out []byte, at unsafe.Pointer) []byte {
	m := *(*map[string]string)(at)
	if m == nil {
		return append(out, 0)
	}
	out = binary.AppendUvarint(append(out, 1), uint64(len(m)))
	keys := make([]string, 0, few)
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		out = text(text(out, k), m[k])
	}
	return out
}

// order sorts the entries that stand one after the other in a text, which
// begins at a place that their ends are counted from.
func order(text []byte, begin int, ends []int) {
	entries, from := make([]string, len(ends)), 0
	for i, end := range ends {
		entries[i] = string(text[from : end-begin])
		from = end - begin
	}
	slices.Sort(entries)
	text = text[:0]
	for _, e := range entries {
		text = append(text, e...)
	}
}

// either writes what an interface holds, and its type.
func (h *Hasher) either(t reflect.Type) writer {
	return func(out []byte, at unsafe.Pointer) []byte {
		v := reflect.NewAt(t, at).Elem()
		if v.IsNil() {
			return append(out, 0)
		}
		inner := v.Elem()
		return h.writer(inner.Type())(text(append(out, 1), inner.Type().String()), copied(inner))
	}
}

func text(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func scalar(t reflect.Type) writer {
	switch t.Kind() {
	case reflect.Bool, reflect.Uint8, reflect.Int8:
		return func(out []byte, at unsafe.Pointer) []byte { return append(out, *(*byte)(at)) }
	case reflect.Int16, reflect.Uint16:
		return func(out []byte, at unsafe.Pointer) []byte { return binary.AppendUvarint(out, uint64(*(*uint16)(at))) }
	case reflect.Int32, reflect.Uint32:
		return func(out []byte, at unsafe.Pointer) []byte { return binary.AppendUvarint(out, uint64(*(*uint32)(at))) }
	case reflect.Float32:
		return func(out []byte, at unsafe.Pointer) []byte { return binary.BigEndian.AppendUint32(out, *(*uint32)(at)) }
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		return func(out []byte, at unsafe.Pointer) []byte { return binary.AppendUvarint(out, uint64(*(*uint)(at))) }
	case reflect.Int64, reflect.Uint64:
		return func(out []byte, at unsafe.Pointer) []byte { return binary.AppendUvarint(out, *(*uint64)(at)) }
	case reflect.Float64:
		return func(out []byte, at unsafe.Pointer) []byte {
			return binary.BigEndian.AppendUint64(out, math.Float64bits(*(*float64)(at)))
		}
	}
	panic(fmt.Sprintf("a %s has no fingerprint", t))
}
