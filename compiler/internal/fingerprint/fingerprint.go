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
	// types is a writer for each type that was asked for.
	types sync.Map
	// buffers are used again.
	buffers sync.Pool

	// guards parts, of which writers are made.
	making sync.Mutex
	parts  map[reflect.Type]*part
}

// part writes one type, once it is made.
type part struct{ write writer }

// New returns a Hasher that knows some pointers by name.
func New(names Names) *Hasher {
	return &Hasher{names: names, parts: map[reflect.Type]*part{}, buffers: sync.Pool{New: func() any { return new([]byte) }}}
}

// Of returns the fingerprint of values in their order. A pointer among them
// stands for what it points at, named or not.
func (h *Hasher) Of(values ...any) Sum {
	buffer := h.buffers.Get().(*[]byte)
	out := (*buffer)[:0]
	for _, v := range values {
		r := reflect.ValueOf(v)
		if r.Kind() == reflect.Pointer && !r.IsNil() {
			r = r.Elem()
		}
		out = h.writer(r.Type())(out, r)
	}
	sum := sha256.Sum256(out)
	*buffer = out
	h.buffers.Put(buffer)
	return sum
}

// writer appends what a value of one type holds. What is written says where it
// ends, so that no two contents look alike.
type writer func(out []byte, v reflect.Value) []byte

// writer returns the one for a type.
func (h *Hasher) writer(t reflect.Type) writer {
	if known, ok := h.types.Load(t); ok {
		return known.(writer)
	}
	h.making.Lock()
	defer h.making.Unlock()
	made := h.part(t).write
	h.types.Store(t, made)
	return made
}

// part returns the one for a type. It is known before it is made, so that a
// type may hold itself.
func (h *Hasher) part(t reflect.Type) *part {
	if known, ok := h.parts[t]; ok {
		return known
	}
	p := &part{}
	h.parts[t] = p
	p.write = h.make(t)
	return p
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
	inner := h.part(t.Elem())
	return func(out []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(out, 0)
		}
		return inner.write(append(out, 1), v.Elem())
	}
}

func (h *Hasher) structure(t reflect.Type) writer {
	fields := make([]*part, t.NumField())
	for i := range fields {
		fields[i] = h.part(t.Field(i).Type)
	}
	return func(out []byte, v reflect.Value) []byte {
		for i, field := range fields {
			out = field.write(out, v.Field(i))
		}
		return out
	}
}

func (h *Hasher) list(t reflect.Type) writer {
	item, isSlice := h.part(t.Elem()), t.Kind() == reflect.Slice
	return func(out []byte, v reflect.Value) []byte {
		// No list and an empty one may mean different things.
		if isSlice && v.IsNil() {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(v.Len()))
		for i := range v.Len() {
			out = item.write(out, v.Index(i))
		}
		return out
	}
}

// mapping writes the entries in the order of what they hold.
func (h *Hasher) mapping(t reflect.Type) writer {
	key, value := h.part(t.Key()), h.part(t.Elem())
	return func(out []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(v.Len()))
		begin := len(out)
		ends := make([]int, 0, 8) // enough for most labels, and on the stack
		for i := v.MapRange(); i.Next(); {
			out = value.write(key.write(out, i.Key()), i.Value())
			ends = append(ends, len(out))
		}
		if len(ends) > 1 {
			order(out[begin:], begin, ends)
		}
		return out
	}
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
