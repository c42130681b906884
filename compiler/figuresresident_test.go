// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler/internal/source"
)

// How many documents a resident process validates, and how many of them stand
// in one repository at a time.
const (
	residentDocuments = 100_000
	residentFiles     = 100
)

// figureResident validates documents with ever new names and keys in one
// process. Every second one is wrong, in a way that only a rule in CUE finds.
func figureResident(b *testing.B) {
	cache := &source.Cache{}
	var first, most uint64
	for n := range residentDocuments / residentFiles {
		files := fstest.MapFS{}
		for i := range residentFiles {
			text := everNew
			if i%2 == 1 {
				text = wrong
			}
			files[fmt.Sprintf("%d.yaml", i)] = &fstest.MapFile{Data: text(n*residentFiles + i)}
		}
		docs, diags := cache.Load(files)
		if len(docs.Policies) != residentFiles/2 || len(diags) != residentFiles {
			b.Fatalf("%d documents are right, of the others: %v", len(docs.Policies), diags)
		}
		// What a process needs it has after a tenth.
		if n%100 == 99 {
			if now := live(); n == 99 {
				first = now
			} else {
				most = max(most, now)
			}
		}
	}
	figure("resident: live after 10,000 documents, half wrong", kibibytes(first), "")
	figure("resident: most, up to 100,000 documents", kibibytes(most), "")
	figure("  growth", fmt.Sprintf("%+.1f %%", 100*(float64(most)/float64(first)-1)), "within 10 %")
}

func kibibytes(n uint64) string { return fmt.Sprintf("%d KiB", n>>10) }

// live is the memory in use after a collection.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse + m.MSpanInuse + m.MCacheInuse + m.BuckHashSys + m.GCSys + m.OtherSys
}

// everNew is a policy in which every name and key is its own.
func everNew(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: policy-%[1]d, namespace: team-%[1]d, labels: {example.com/key-%[1]d: value-%[1]d}}
spec:
  clusterSet: set-%[1]d
  service: {name: service-%[1]d, ports: [{port: %[2]d, protocol: http}]}
  exports: {from: {matchLabels: {stage-%[1]d: "yes"}}}
  rules:
  - name: rule-%[1]d
    matches: [{headers: [{name: x-header-%[1]d, exact: value-%[1]d}]}]
    backends: [{cluster: cluster-%[1]d, subset: {version-%[1]d: v1}}]
  - backends: [{cluster: cluster-%[1]d, weight: 3}, {cluster: other-%[1]d}]
`, n, 1+n%65535)
	return b.Bytes()
}

// wrong is the same with two mistakes that rules in CUE find: no rule matches
// every request, and all weights are zero.
func wrong(n int) []byte {
	text := bytes.Replace(everNew(n), []byte("  - backends: [{cluster: cluster-"), fmt.Appendf(nil, "  - matches: [{headers: [{name: x-other-%d, present: true}]}]\n    backends: [{cluster: cluster-", n), 1)
	return bytes.Replace(text, fmt.Appendf(nil, "weight: 3}, {cluster: other-%d}", n), fmt.Appendf(nil, "weight: 0}, {cluster: other-%d, weight: 0}", n), 1)
}
