// SPDX-License-Identifier: Apache-2.0

package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
)

// Sum is the fingerprint of a value.
type Sum [sha256.Size]byte

// Names says what is written for a pointer of some types instead of what it
// points at, which is given.
type Names map[reflect.Type]func(reflect.Value) string

// Hasher takes fingerprints. It is safe for concurrent use.
type Hasher struct {
	names Names
	types sync.Map // of reflect.Type to writer
}

// New returns a Hasher that knows some pointers by name.
func New(names Names) *Hasher { return &Hasher{names: names} }

// Of returns the fingerprint of values in their order.
func (h *Hasher) Of(values ...any) Sum {
	out := make([]byte, 0, 2048)
	for _, v := range values {
		r := reflect.ValueOf(v)
		out = h.writer(r.Type())(out, r)
	}
	return sha256.Sum256(out)
}

// writer appends what a value of one type holds. What is written says where it
// ends, so that no two contents look alike.
type writer func(out []byte, v reflect.Value) []byte

// writer returns the one for a type. What stands behind a pointer, in a list or
// in a map finds its writer when it is written, so that a type may hold itself.
func (h *Hasher) writer(t reflect.Type) writer {
	if known, ok := h.types.Load(t); ok {
		return known.(writer)
	}
	known, _ := h.types.LoadOrStore(t, h.make(t))
	return known.(writer)
}

func (h *Hasher) make(t reflect.Type) writer {
	switch t.Kind() {
	case reflect.Pointer:
		return h.pointer(t)
	case reflect.Struct:
		return h.structure(t)
	case reflect.Slice, reflect.Array:
		return h.list(t)
	case reflect.Map:
		return h.mapping(t)
	case reflect.String:
		return func(out []byte, v reflect.Value) []byte { return text(out, v.String()) }
	case reflect.Func:
		return func(out []byte, _ reflect.Value) []byte { return out }
	case reflect.Interface:
		return h.either
	}
	return scalar(t)
}

func (h *Hasher) pointer(t reflect.Type) writer {
	if name, ok := h.names[t]; ok {
		return func(out []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(out, 0)
			}
			return text(append(out, 1), name(v.Elem()))
		}
	}
	return func(out []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(out, 0)
		}
		return h.writer(t.Elem())(append(out, 1), v.Elem())
	}
}

func (h *Hasher) structure(t reflect.Type) writer {
	fields := make([]writer, t.NumField())
	for i := range fields {
		fields[i] = h.writer(t.Field(i).Type)
	}
	return func(out []byte, v reflect.Value) []byte {
		for i, write := range fields {
			out = write(out, v.Field(i))
		}
		return out
	}
}

func (h *Hasher) list(t reflect.Type) writer {
	return func(out []byte, v reflect.Value) []byte {
		// No list and an empty one may mean different things.
		if t.Kind() == reflect.Slice && v.IsNil() {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(v.Len()))
		write := h.writer(t.Elem())
		for i := range v.Len() {
			out = write(out, v.Index(i))
		}
		return out
	}
}

// mapping writes the entries in the order of what their keys hold.
func (h *Hasher) mapping(t reflect.Type) writer {
	return func(out []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(v.Len()))
		key, value := h.writer(t.Key()), h.writer(t.Elem())
		if v.Len() == 1 {
			for i := v.MapRange(); i.Next(); {
				out = value(key(out, i.Key()), i.Value())
			}
			return out
		}
		entries := make([]string, 0, v.Len())
		for i := v.MapRange(); i.Next(); {
			entries = append(entries, string(value(key(nil, i.Key()), i.Value())))
		}
		slices.Sort(entries)
		for _, e := range entries {
			out = append(out, e...)
		}
		return out
	}
}

// either writes what an interface holds, and its type.
func (h *Hasher) either(out []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(out, 0)
	}
	inner := v.Elem()
	return h.writer(inner.Type())(text(append(out, 1), inner.Type().String()), inner)
}

func text(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func scalar(t reflect.Type) writer {
	switch t.Kind() {
	case reflect.Bool:
		return func(out []byte, v reflect.Value) []byte {
			if v.Bool() {
				return append(out, 1)
			}
			return append(out, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(out []byte, v reflect.Value) []byte { return binary.AppendVarint(out, v.Int()) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(out []byte, v reflect.Value) []byte { return binary.AppendUvarint(out, v.Uint()) }
	case reflect.Float32, reflect.Float64:
		return func(out []byte, v reflect.Value) []byte {
			return binary.BigEndian.AppendUint64(out, math.Float64bits(v.Float()))
		}
	}
	panic(fmt.Sprintf("a %s has no fingerprint", t))
}
