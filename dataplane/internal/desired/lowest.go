// SPDX-License-Identifier: Apache-2.0

package desired

import "time"

// Lowest remembers how healthy backends were, so that one that was ill gets its
// share back only after a while. The zero value remembers nothing. It must not
// be used by several goroutines at once.
type Lowest struct {
	// Now is the time of the State that is computed next.
	Now  time.Time
	past map[backendKey][]sample
}

// backendKey identifies a backend of a port of a route.
type backendKey struct {
	route   string
	port    int32
	cluster string
}

// sample is a health that was seen last at a time.
type sample struct {
	at     time.Time
	health float64
}

// of notes how healthy a backend is now and returns its lowest health of the
// last while. Without a Lowest, or without a while, that is the health itself.
//
// Only samples that can still become the lowest are kept: each is healthier
// than the ones before it.
func (l *Lowest) of(key backendKey, health float64, while time.Duration) float64 {
	if l == nil || while <= 0 {
		return health
	}
	kept := l.past[key]
	for len(kept) > 0 && kept[len(kept)-1].health >= health {
		kept = kept[:len(kept)-1]
	}
	kept = append(kept, sample{l.Now, health})
	for l.Now.Sub(kept[0].at) > while {
		kept = kept[1:]
	}
	if l.past == nil {
		l.past = map[backendKey][]sample{}
	}
	l.past[key] = kept
	return kept[0].health
}
