// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Change is one value of the input and the ways in which it can be changed.
type Change struct {
	// Path of the value, such as spec.rules[0].backends[1].weight.
	Path string
	// Variants each change the value and return what changes it back.
	Variants []func() (undo func())
	// Block: the value is taken away with all that is in it. It is tried only
	// where nothing in it has an effect of its own, because what comes after it
	// in a list moves up.
	Block bool

	// text is the value itself where it is one; nil otherwise.
	text *reflect.Value
}

// Changes lists every value that a pointer leads to, blocks before what is in
// them. Names of fields are those of JSON.
func Changes(pointer any, path string) []Change {
	w := &walker{}
	w.value(reflect.ValueOf(pointer).Elem(), path)
	return w.found
}

type walker struct{ found []Change }

// block notes a value that can be taken away.
func (w *walker) block(v reflect.Value, path string, without reflect.Value) {
	w.add(v, path, without)
	w.found[len(w.found)-1].Block = true
}

// add notes a value and the other values that it is tried with.
func (w *walker) add(v reflect.Value, path string, others ...reflect.Value) {
	c := Change{Path: path}
	for _, other := range others {
		c.Variants = append(c.Variants, func() func() {
			was := reflect.ValueOf(v.Interface())
			v.Set(other)
			return func() { v.Set(was) }
		})
	}
	w.found = append(w.found, c)
}

func (w *walker) value(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		w.block(v, path, reflect.Zero(v.Type()))
		w.value(v.Elem(), path)
	case reflect.Struct:
		w.fields(v, path)
	case reflect.Slice:
		for i := range v.Len() {
			at := fmt.Sprintf("%s[%d]", path, i)
			less := reflect.AppendSlice(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v.Slice(0, i)), v.Slice(i+1, v.Len()))
			w.block(v, at, less)
			w.value(v.Index(i), at)
		}
	case reflect.Map:
		w.entries(v, path)
	case reflect.String:
		if v.Len() > 0 {
			w.add(v, path, texts(v)...)
			w.found[len(w.found)-1].text = &v
		}
	case reflect.Bool:
		if v.Bool() {
			w.add(v, path, reflect.ValueOf(false).Convert(v.Type()))
		}
	case reflect.Int32, reflect.Int64:
		if v.Int() != 0 {
			w.add(v, path, reflect.ValueOf(v.Int()+1).Convert(v.Type()), reflect.Zero(v.Type()))
		}
	}
}

func (w *walker) fields(v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-":
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			w.value(v.Field(i), path)
		case name != "":
			w.value(v.Field(i), strings.TrimPrefix(path+"."+name, "."))
		}
	}
}

// entries are those of a map of labels.
func (w *walker) entries(v reflect.Value, path string) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		less := reflect.MakeMap(v.Type())
		more := reflect.MakeMap(v.Type())
		for _, k := range keys {
			if k.String() != key.String() {
				less.SetMapIndex(k, v.MapIndex(k))
			}
			more.SetMapIndex(k, v.MapIndex(k))
		}
		if value := v.MapIndex(key); value.Kind() == reflect.String {
			more.SetMapIndex(key, reflect.ValueOf(value.String()+"x").Convert(value.Type()))
		}
		w.add(v, path+"."+key.String(), more, less)
	}
}

// texts are other values of a text: one of the same form where the form is
// known, one of no form, and none.
func texts(v reflect.Value) []reflect.Value {
	var out []reflect.Value
	for _, text := range []string{sameForm(v.String()), v.String() + "x", ""} {
		if text != v.String() {
			out = append(out, reflect.ValueOf(text).Convert(v.Type()))
		}
	}
	return out
}

// number finds the first number of a length of time or a percentage.
var number = regexp.MustCompile(`^[0-9]+`)

// keyBytes is the length of a WireGuard public key (Curve25519, RFC 7748).
const keyBytes = 32

// sameForm returns the next address, prefix or key, or a text with the next
// number at its beginning; otherwise the text as it is.
func sameForm(text string) string {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Next().String()
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		last := p.Masked().Addr()
		for range 1 << 8 {
			last = last.Next()
		}
		return netip.PrefixFrom(last, p.Addr().BitLen()).String()
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == keyBytes {
		key[0]++
		return base64.StdEncoding.EncodeToString(key)
	}
	return number.ReplaceAllStringFunc(text, func(digits string) string {
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil {
			return digits
		}
		return strconv.FormatInt(n+1, 10)
	})
}

// Rename gives every text that a pointer leads to and that is equal to a name
// the other name.
func Rename(pointer any, name, other string) {
	for _, c := range Changes(pointer, "") {
		if c.text != nil && c.text.String() == name {
			c.text.SetString(other)
		}
	}
}
