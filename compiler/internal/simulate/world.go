// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"math/big"
	"slices"
)

// World is the state that a request finds. Its zero value has everything alive
// and ready.
type World struct {
	// Lost clusters: nothing there answers.
	Lost []string
	// Health of pods; what nothing speaks of is ready.
	Health []Health
	// Complete: pods that were not observed are there, as they will be.
	Complete bool
}

// Health says how many of some pods of a Service are ready.
type Health struct {
	Cluster, Namespace, Service string
	// Labels choose the pods; none: all of the Service.
	Labels map[string]string
	// Ready part of the pods, 0 to 1.
	Ready *big.Rat
}

// lost tells whether a cluster is lost.
func (w World) lost(cluster string) bool { return slices.Contains(w.Lost, cluster) }

// pods names some pods of a Service in one cluster.
type pods struct {
	cluster, namespace, service string
	labels                      map[string]string
}

// ready is the ready part of the pods of one kind: what the entry with the most
// labels that all of them have says.
func (w World) ready(p pods) *big.Rat {
	out, best := big.NewRat(1, 1), -1
	for _, h := range w.Health {
		same := h.Cluster == p.cluster && h.Namespace == p.namespace && h.Service == p.service
		if same && len(h.Labels) > best && hasAll(p.labels, h.Labels) {
			out, best = h.Ready, len(h.Labels)
		}
	}
	return out
}

// hasAll tells whether labels contain all of the wanted.
func hasAll(labels, wanted map[string]string) bool {
	for _, k := range slices.Sorted(maps.Keys(wanted)) {
		if v, ok := labels[k]; !ok || v != wanted[k] {
			return false
		}
	}
	return true
}

func zero() *big.Rat { return new(big.Rat) }
func one() *big.Rat  { return big.NewRat(1, 1) }
