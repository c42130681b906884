// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/internal/workers"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// Build resolves documents and an inventory. With any error among the
// diagnostics the Fleet is good for nothing but finding further mistakes.
func Build(docs source.Documents, inv inventory.Inventory) (*Fleet, []diag.Diagnostic) {
	return build(docs, inv, nil)
}

// build uses a Memory where there is one.
func build(docs source.Documents, inv inventory.Inventory, m *Memory) (*Fleet, []diag.Diagnostic) {
	b := &builder{fleet: &Fleet{}, inv: inv, memory: m, ledger: allot.NewLedger(inv.Ledger), named: named(docs), offers: map[*Cluster][]*Service{}}
	b.namespaces = namespaces(b.named)
	b.shows = make(map[inventory.Name][]Sighting, len(b.named))
	// The order matters: policies need the sets' clusters, conflicts need the
	// policies' exporters and consumers, and only what takes part gets addresses.
	b.ground(docs)
	all := b.services(docs.Policies)
	b.others()
	b.checkServices(all)
	m.remember(all)
	for _, s := range b.fleet.Sets {
		if len(s.tenants) > 0 {
			b.checkTenancies(s, files(docs))
		}
	}
	b.parts()
	b.checkGateways()
	b.resolveGateways()
	b.allot()
	b.observed()
	b.fleet.Quarantined, b.fleet.Missing = b.quarantined, b.missed()
	return b.fleet, diag.Sort(b.diags)
}

// files lists those that have policies.
func files(docs source.Documents) []string {
	var out []string
	for _, p := range docs.Policies {
		out = append(out, p.Origin.At("").File)
	}
	return out
}

// builder gathers a Fleet and every mistake on the way.
type builder struct {
	fleet *Fleet
	inv   inventory.Inventory
	// memory is nil where nothing is remembered.
	memory *Memory
	ledger allot.Ledger
	// named services are those that policies speak of.
	named map[inventory.Name]bool
	// namespaces of the policies.
	namespaces map[string]bool
	// offers are the services that a cluster exports, shows what was observed of a
	// Service in the clusters of all sets; both in order.
	offers map[*Cluster][]*Service
	shows  map[inventory.Name][]Sighting
	// governed finds services by set, namespace and name.
	governed map[[3]string]*Service
	// ranges are those of the set whose gateways are resolved.
	ranges []span
	findings
}

// findings are what is wrong with what was looked at until now.
type findings struct {
	diags       []diag.Diagnostic
	quarantined []Quarantined
	// absent is what is missing; it may hold an entry twice.
	absent []Missing
	// kept is what the ledger has of what was allotted.
	kept []inventory.Allocation
}

// each does something for each number below n, on every processor, and takes in
// what is found in the order of the numbers. What is done may change only what
// is of its number, and read what nobody changes.
func (b *builder) each(n int, do func(b *builder, i int)) {
	found := make([]*findings, n) // mostly nothing
	workers.Each(n, func() func(int) {
		own := *b
		return func(i int) {
			own.findings = findings{}
			do(&own, i)
			if f := own.findings; len(f.diags)+len(f.quarantined)+len(f.absent)+len(f.kept) > 0 {
				found[i] = &f
			}
		}
	})
	for _, f := range found {
		if f != nil {
			b.take(f)
		}
	}
}

// take adds what was found elsewhere. What is remembered of it stays as it is:
// diagnostics are given the lines that they relate to.
func (b *builder) take(f *findings) {
	for _, d := range f.diags {
		d.Related = slices.Clone(d.Related)
		b.diags = append(b.diags, d)
	}
	b.quarantined = append(b.quarantined, f.quarantined...)
	b.absent = append(b.absent, f.absent...)
	b.kept = append(b.kept, f.kept...)
}

// mistake is an error under way: where it is and what else it speaks of.
type mistake struct {
	code, fix string
	at        diag.Position
	related   []diag.Related
}

func (b *builder) report(m mistake, format string, args ...any) {
	b.diags = append(b.diags, diag.Diagnostic{Code: m.code, Severity: diag.Error, Message: fmt.Sprintf(format, args...),
		Fix: m.fix, Position: m.at, Related: m.related})
}

// warn reports what rejects nothing.
func (b *builder) warn(m mistake, format string, args ...any) {
	b.report(m, format, args...)
	b.diags[len(b.diags)-1].Severity = diag.Warning
}

func also(at diag.Position, message string) []diag.Related {
	return []diag.Related{{Position: at, Message: message}}
}

// indexed is the path of an item of a list.
func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func byName(a, b *Cluster) int { return cmp.Compare(a.Name, b.Name) }

func names(clusters []*Cluster) []string {
	out := make([]string, len(clusters))
	for i, c := range clusters {
		out[i] = c.Name
	}
	return out
}

// comma lists clusters by name.
func comma(clusters []*Cluster) string { return strings.Join(names(clusters), ", ") }

// unique sorts clusters by name and drops repetitions.
func unique(clusters []*Cluster) []*Cluster {
	slices.SortFunc(clusters, byName)
	return slices.Compact(clusters)
}
