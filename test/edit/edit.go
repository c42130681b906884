// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"maps"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// Kinds is how many kinds of edits there are.
const Kinds = 10

// Objects edits objects in place, as JSON has them. Four bytes make one edit:
// two choose the value, one the kind of edit and one what it is made with. The
// same bytes make the same edits of the same objects.
func Objects(all []map[string]any, edits []byte) {
	// More edits leave nothing of what was emitted.
	const most = 12
	for n := 0; n < most && len(edits) >= 4; n, edits = n+1, edits[4:] {
		spots := spotsOf(all)
		if len(spots) == 0 {
			return
		}
		at := spots[(int(edits[0])<<8|int(edits[1]))%len(spots)]
		other := spots[(int(edits[3])*251)%len(spots)]
		at.change(int(edits[2]), int(edits[3]), other)
	}
}

// spot is a value inside an object, by the map or the list that holds it.
type spot struct {
	in    map[string]any
	key   string
	items []any
	index int
}

func (s spot) get() any {
	if s.in != nil {
		return s.in[s.key]
	}
	return s.items[s.index]
}

func (s spot) set(v any) {
	if s.in != nil {
		s.in[s.key] = v
	} else {
		s.items[s.index] = v
	}
}

// oddNumbers and oddTexts are values that code is likely to trip over.
var (
	oddNumbers = []any{int64(0), int64(-1), int64(1), int64(1) << 31, int64(1) << 40, int64(math.MinInt64), int64(math.MaxInt64), 0.5, 1e300, int64(100), int64(101)}
	oddTexts   = []any{"", "*", ".", "/", "~~", "a", "*.", "(", "[a-", "1.2.3.4/33", "::", "-1", "0%", "101%", "0s", "-1s", "99999999h", "\x00", "é",
		"outbound|80||", "outbound_.80_._.", "spiffe://", "cluster1", "c1", "STRICT", "false"}
)

// change makes one edit of a kind, with an argument and another spot.
func (s spot) change(kind, arg int, other spot) {
	v := s.get()
	switch kind % Kinds {
	case 0:
		delete(s.in, s.key) // of a list nothing can be left out here
	case 1:
		s.set(nil)
	case 2:
		s.set(oddNumbers[arg%len(oddNumbers)])
	case 3:
		s.set(oddTexts[arg%len(oddTexts)])
	case 4:
		s.set(map[string]any{})
	case 5:
		s.set([]any{})
	case 6:
		if list, ok := v.([]any); ok {
			s.set(append(runtime.DeepCopyJSONValue(list).([]any), list...))
		} else {
			s.set([]any{v})
		}
	case 7:
		s.set(runtime.DeepCopyJSONValue(other.get()))
	case 8:
		mine, theirs := runtime.DeepCopyJSONValue(v), runtime.DeepCopyJSONValue(other.get())
		s.set(theirs)
		other.set(mine)
	case 9:
		if list, ok := v.([]any); ok && len(list) > 0 {
			s.set(list[:arg%len(list)])
		}
	}
}

// mostSpots bounds the values that are looked at: a few edits can double what
// there is many times over.
const mostSpots = 1 << 16

// spotsOf lists every value, always in the same order.
func spotsOf(all []map[string]any) []spot {
	var out []spot
	var walk func(any)
	walk = func(v any) {
		if len(out) >= mostSpots {
			return
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				out = append(out, spot{in: v, key: key})
				walk(v[key])
			}
		case []any:
			for i := range v {
				out = append(out, spot{items: v, index: i})
				walk(v[i])
			}
		}
	}
	for _, content := range all {
		walk(content)
	}
	return out
}
