// SPDX-License-Identifier: Apache-2.0

package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"sync"
	"unsafe"
)

// Sum is the fingerprint of a value.
type Sum [sha256.Size]byte

// Names says what is written for a pointer of some types instead of what it
// points at, which is given.
type Names map[reflect.Type]func(pointer any) string

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
		out = h.value(out, v)
	}
	sum := sha256.Sum256(out)
	*buffer = out
	h.buffers.Put(buffer)
	return sum
}

// value writes one of several values.
func (h *Hasher) value(out []byte, v any) []byte {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		return h.writer(r.Type().Elem())(out, r.UnsafePointer())
	}
	return h.writer(r.Type())(out, copied(r))
}

// copied returns where a copy of a value stands.
func copied(v reflect.Value) unsafe.Pointer {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.UnsafePointer()
}

// writer appends what a value of one type holds, which stands at an address.
// What is written says where it ends, so that no two contents look alike.
//
// Values are read where they stand because there are many small ones: going by
// reflect.Value takes several times as long as writing them.
type writer func(out []byte, at unsafe.Pointer) []byte

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
	case reflect.Slice:
		return h.slice(t)
	case reflect.Array:
		return h.array(t)
	case reflect.Map:
		return h.mapping(t)
	case reflect.String:
		return func(out []byte, at unsafe.Pointer) []byte { return text(out, *(*string)(at)) }
	case reflect.Func:
		return func(out []byte, _ unsafe.Pointer) []byte { return out }
	case reflect.Interface:
		return h.either(t)
	}
	return scalar(t)
}

func (h *Hasher) pointer(t reflect.Type) writer {
	if name, ok := h.names[t]; ok {
		return func(out []byte, at unsafe.Pointer) []byte {
			v := reflect.NewAt(t, at).Elem()
			if v.IsNil() {
				return append(out, 0)
			}
			return text(append(out, 1), name(v.Interface()))
		}
	}
	inner := h.part(t.Elem())
	return func(out []byte, at unsafe.Pointer) []byte {
		to := *(*unsafe.Pointer)(at)
		if to == nil {
			return append(out, 0)
		}
		return inner.write(append(out, 1), to)
	}
}

func (h *Hasher) structure(t reflect.Type) writer {
	type field struct {
		*part
		offset uintptr
	}
	fields := make([]field, t.NumField())
	for i := range fields {
		fields[i] = field{h.part(t.Field(i).Type), t.Field(i).Offset}
	}
	return func(out []byte, at unsafe.Pointer) []byte {
		for _, f := range fields {
			out = f.write(out, unsafe.Add(at, f.offset))
		}
		return out
	}
}

func (h *Hasher) array(t reflect.Type) writer {
	item, size, n := h.part(t.Elem()), t.Elem().Size(), t.Len()
	if t.Elem().Kind() == reflect.Uint8 {
		return func(out []byte, at unsafe.Pointer) []byte { return append(out, unsafe.Slice((*byte)(at), n)...) }
	}
	return func(out []byte, at unsafe.Pointer) []byte {
		for i := range n {
			out = item.write(out, unsafe.Add(at, uintptr(i)*size))
		}
		return out
	}
}

func (h *Hasher) slice(t reflect.Type) writer {
	item, size := h.part(t.Elem()), t.Elem().Size()
	return func(out []byte, at unsafe.Pointer) []byte {
		// All slices begin alike. No list and an empty one may mean different
		// things.
		list := *(*[]struct{})(at)
		if list == nil {
			return append(out, 0)
		}
		out = binary.AppendUvarint(append(out, 1), uint64(len(list)))
		first := unsafe.Pointer(unsafe.SliceData(list))
		for i := range list {
			out = item.write(out, unsafe.Add(first, uintptr(i)*size))
		}
		return out
	}
}
