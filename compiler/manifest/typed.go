// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"k8s.io/apimachinery/pkg/runtime"
)

// contentOf returns the JSON form of a typed object. Where the spec is a
// protocol buffer, it is read directly: the way through its JSON text takes most
// of the time of a compile.
func contentOf(typed any) (map[string]any, error) {
	v := reflect.ValueOf(typed)
	if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
		if spec := v.Elem().FieldByName("Spec"); spec.IsValid() && spec.CanAddr() {
			if m, ok := spec.Addr().Interface().(interface{ ProtoReflect() protoreflect.Message }); ok {
				return protoContent(v.Elem(), m.ProtoReflect())
			}
		}
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
}

// protoContent puts together the two parts of such an object; its status is not
// ours.
func protoContent(object reflect.Value, spec protoreflect.Message) (map[string]any, error) {
	content := map[string]any{}
	for _, name := range []string{"TypeMeta", "ObjectMeta"} {
		part := object.FieldByName(name)
		if !part.IsValid() {
			return nil, fmt.Errorf("it has no %s", name)
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(part.Addr().Interface())
		if err != nil {
			return nil, err
		}
		if name == "ObjectMeta" {
			fields = map[string]any{"metadata": fields}
		}
		for k, v := range fields {
			content[k] = v
		}
	}
	fields, err := messageContent(spec)
	if err != nil {
		return nil, err
	}
	content["spec"] = fields
	return content, nil
}

// messageContent returns the JSON form of a message (proto3's JSON mapping).
func messageContent(m protoreflect.Message) (any, error) {
	name := m.Descriptor().FullName()
	if name.Parent() == "google.protobuf" {
		return wellKnown(m, name.Name())
	}
	out := map[string]any{}
	var failed error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		out[f.JSONName()], failed = fieldContent(f, v)
		return failed == nil
	})
	return out, failed
}

// wellKnown is for messages that have a form of their own.
func wellKnown(m protoreflect.Message, name protoreflect.Name) (any, error) {
	fields := m.Descriptor().Fields()
	switch name {
	case "Duration":
		return durationText(m.Get(fields.ByNumber(1)).Int(), m.Get(fields.ByNumber(2)).Int()), nil
	case "BoolValue", "StringValue", "Int32Value", "UInt32Value", "Int64Value", "UInt64Value", "FloatValue", "DoubleValue", "BytesValue":
		f := fields.ByNumber(1)
		return singleContent(f, m.Get(f))
	}
	return nil, fmt.Errorf("nothing here knows the JSON form of google.protobuf.%s", name)
}

// durationText has no, three, six or nine digits behind the point.
func durationText(seconds, nanos int64) string {
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	text := fmt.Sprintf("%s%d.%09d", sign, seconds, nanos)
	for range 2 {
		text = strings.TrimSuffix(text, "000")
	}
	return strings.TrimSuffix(text, ".000") + "s"
}

func fieldContent(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	switch {
	case f.IsMap():
		out := map[string]any{}
		var failed error
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			out[k.String()], failed = singleContent(f.MapValue(), v)
			return failed == nil
		})
		return out, failed
	case f.IsList():
		list := v.List()
		out := make([]any, list.Len())
		for i := range out {
			item, err := singleContent(f, list.Get(i))
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	}
	return singleContent(f, v)
}

func singleContent(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return v.Bool(), nil
	case protoreflect.StringKind:
		return v.String(), nil
	case protoreflect.BytesKind:
		return base64.StdEncoding.EncodeToString(v.Bytes()), nil
	case protoreflect.EnumKind:
		if name := f.Enum().Values().ByNumber(v.Enum()); name != nil {
			return string(name.Name()), nil
		}
		return int64(v.Enum()), nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return v.Int(), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return int64(v.Uint()), nil
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return strconv.FormatInt(v.Int(), 10), nil
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.FormatUint(v.Uint(), 10), nil
	case protoreflect.FloatKind:
		// The fewest digits that tell it from other numbers of its size.
		n, err := strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', -1, 32), 64)
		if err != nil {
			return nil, err
		}
		return number(n)
	case protoreflect.DoubleKind:
		return number(v.Float())
	case protoreflect.MessageKind:
		return messageContent(v.Message())
	}
	return nil, fmt.Errorf("nothing here knows the JSON form of %s", f.FullName())
}

// exact is the largest whole number that every smaller one is exact beside.
const exact = 1 << 53

// number is whole where it can be, as a reader of JSON takes it.
func number(n float64) (any, error) {
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return nil, fmt.Errorf("%v is no number in JSON", n)
	case n == math.Trunc(n) && math.Abs(n) < exact:
		return int64(n), nil
	}
	return n, nil
}
