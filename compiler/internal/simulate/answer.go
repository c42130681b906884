// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// Verdict is what becomes of a request.
type Verdict string

// The verdicts.
const (
	// Served: at least a part of such requests reaches a pod.
	Served Verdict = "served"
	// Refused: the caller may not (403).
	Refused Verdict = "refused"
	// NoRoute: nothing governs such a request, or no rule matches (404).
	NoRoute Verdict = "noRoute"
	// Unreachable: there is nobody who could serve it (503).
	Unreachable Verdict = "unreachable"
	// Redirected to another URL by the rule itself; Applied says where to.
	Redirected Verdict = "redirected"
	// Responded by the rule itself; Applied has the body.
	Responded Verdict = "directResponse"
)

// Answer is what a request gets.
type Answer struct {
	Verdict Verdict
	// Status of an answer that no pod gives; zero where pods do, and for
	// connections.
	Status int32
	// Shares of such requests, sorted; none where nobody serves them.
	Shares []Share
	// Unserved is the part of such requests that is sent where nobody answers,
	// or where the caller is not let in.
	Unserved *big.Rat
	// Applied to the request or the answer on the way.
	Applied Applied
	// Steps are the decisions, in order.
	Steps []Step
}

// Share is the part of requests that some pods serve.
type Share struct {
	Cluster, Namespace, Service string
	Subset                      map[string]string
	Port                        int32
	// Part of all such requests, above 0 and at most 1.
	Part *big.Rat
	// TLS between the caller and the pods.
	TLS TLS
}

// TLS is how a caller and a server know each other.
type TLS struct {
	// Mutual: both show a certificate of their mesh. Otherwise nothing is added
	// to what the caller speaks.
	Mutual bool
	// Identities that the servers have, as SPIFFE ids, sorted; empty where they
	// show none or nobody looks.
	Identities []string
}

// Step is one decision on the way of a request.
type Step struct {
	// Text says what was decided, in one line.
	Text string
	// At is the field that decided; its zero value where no file did.
	At diag.Position
}

// key orders shares and tells them apart.
func (s Share) key() string {
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(s.Subset)) {
		labels = append(labels, k+"="+s.Subset[k])
	}
	return fmt.Sprintf("%s/%s/%s/%s:%d", s.Cluster, s.Namespace, s.Service, strings.Join(labels, ","), s.Port)
}

// Name is the cluster, and the labels of the subset.
func (s Share) Name() string {
	_, labels, _ := strings.Cut(strings.TrimPrefix(s.key(), s.Cluster+"/"), "/")
	labels = labels[strings.Index(labels, "/")+1 : strings.LastIndex(labels, ":")]
	if labels == "" {
		return s.Cluster
	}
	return s.Cluster + "/" + labels
}

// serve finishes an answer: equal shares are one, what is nothing is left out,
// and without any share nobody serves.
func (a Answer) serve(shares []Share) Answer {
	byKey := map[string]*Share{}
	total := zero()
	for _, s := range shares {
		if s.Part.Sign() <= 0 {
			continue
		}
		total.Add(total, s.Part)
		if was := byKey[s.key()]; was != nil {
			was.Part = new(big.Rat).Add(was.Part, s.Part)
			was.TLS.Identities = sorted(append(was.TLS.Identities, s.TLS.Identities...))
			continue
		}
		byKey[s.key()] = &s
	}
	for _, s := range byKey {
		a.Shares = append(a.Shares, *s)
	}
	slices.SortFunc(a.Shares, func(x, y Share) int { return cmp.Compare(x.key(), y.key()) })
	a.Unserved = new(big.Rat).Sub(one(), total)
	a.Verdict = Served
	if len(a.Shares) == 0 {
		a.Verdict, a.Applied = Unreachable, nil
	}
	return a
}

// sorted returns texts in order, each once.
func sorted(texts []string) []string {
	out := slices.Clone(texts)
	slices.Sort(out)
	return slices.Compact(out)
}
