// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
)

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// The highest port that an API server lets pass.
const highestPort = 1<<16 - 1

// What one Service may have: others' objects list all of it, and an API server
// takes no object larger than 1.5 MiB.
const (
	maxPorts    = 256
	maxAccounts = 64
	// maxDoubts are shown of one Service.
	maxDoubts = 16
)

// named returns the services that policies speak of.
func named(docs source.Documents) map[inventory.Name]bool {
	out := map[inventory.Name]bool{}
	for _, p := range docs.Policies {
		out[inventory.Name{Namespace: p.Namespace, Name: p.Spec.Service.Name}] = true
	}
	return out
}

// namespaces are those of the services that policies speak of.
func namespaces(named map[inventory.Name]bool) map[string]bool {
	out := map[string]bool{}
	for n := range named {
		out[n.Namespace] = true
	}
	return out
}

// facts takes from what a cluster says of itself what policies speak of, and
// leaves out what no cluster can be.
func (b *builder) facts(c inventory.Cluster) Facts {
	out := Facts{State: Observed, Cluster: c}
	if c.Unreachable != "" {
		out.State = Unreachable
	}
	out.Services, out.Exports = make([]inventory.Service, 0, min(len(c.Services), len(b.named))), nil
	out.Roots = b.digests(c)
	sidecars := map[string]bool{} // by namespace: whether some pod has one
	for _, s := range c.Services {
		if !sidecars[s.Namespace] && b.namespaces[s.Namespace] {
			noteSidecars(sidecars, s)
		}
		if b.named[s.Name] {
			out.Services = append(out.Services, b.checked(c.Name, s))
		}
	}
	out.Services = firstOfEach(out.Services)
	for _, e := range c.Exports {
		if b.named[e] {
			out.Exports = append(out.Exports, e)
		}
	}
	maps.DeleteFunc(sidecars, func(_ string, some bool) bool { return some })
	out.Unmeshed = slices.Sorted(maps.Keys(sidecars))
	return out
}

// firstOfEach sorts Services by name. Of two of one name the first counts.
func firstOfEach(services []inventory.Service) []inventory.Service {
	byName := func(a, b inventory.Service) int { return a.Name.Compare(b.Name) }
	if !slices.IsSortedFunc(services, byName) {
		slices.SortStableFunc(services, byName)
	}
	return slices.CompactFunc(services, func(a, b inventory.Service) bool { return a.Name == b.Name })
}

// noteSidecars notes whether a namespace has pods, and some of them a sidecar.
func noteSidecars(byNamespace map[string]bool, s inventory.Service) {
	if len(s.Workloads) > 0 {
		byNamespace[s.Namespace] = slices.ContainsFunc(s.Workloads, func(w inventory.Workload) bool { return w.Sidecar })
	}
}

// maxRoots of one mesh: while a root is changed it has two.
const maxRoots = 16

// digests leaves out roots that are no digests.
func (b *builder) digests(c inventory.Cluster) []string {
	var out []string
	for _, r := range c.Roots {
		if len(out) < maxRoots && digest.MatchString(r) {
			out = append(out, r)
			continue
		}
		b.quarantined = append(b.quarantined, Quarantined{Cluster: c.Name, Fact: "root of its mesh " + shown(r),
			Message: fmt.Sprintf("roots are at most %d SHA-256 digests in hexadecimal", maxRoots)})
		break
	}
	return out
}

// checked leaves out the ports and workloads of a Service that no API server
// lets pass.
func (b *builder) checked(cluster string, s inventory.Service) inventory.Service {
	doubts := 0
	doubt := func(fact, why string) bool {
		if doubts++; doubts > maxDoubts {
			return true
		}
		q := Quarantined{Cluster: cluster, Fact: fmt.Sprintf("%s of Service %s", fact, s.Name), Message: why}
		if !slices.Contains(b.quarantined, q) {
			b.quarantined = append(b.quarantined, q)
		}
		return true
	}
	s.Ports = without(s.Ports, func(p inventory.Port) bool {
		switch {
		case p.Port < 1 || p.Port > highestPort:
			return doubt(fmt.Sprintf("port %d", p.Port), "ports are from 1 to 65535")
		case !portName(p.Name):
			return doubt("port name "+shown(p.Name), "it is no DNS label (RFC 1123)")
		case !appProtocol(p.AppProtocol):
			return doubt("appProtocol "+shown(p.AppProtocol), "it is no qualified name")
		}
		return false
	})
	if extra := len(s.Ports) - maxPorts; extra > 0 {
		doubt(fmt.Sprintf("%d more ports", extra), fmt.Sprintf("a Service has at most %d", maxPorts))
		s.Ports = s.Ports[:maxPorts]
	}
	accounts := map[string]bool{}
	s.Workloads = without(s.Workloads, func(w inventory.Workload) bool {
		if !accountName(w.ServiceAccount) {
			return doubt("service account "+shown(w.ServiceAccount), "it is no DNS subdomain (RFC 1123), and no identity can be made of it")
		}
		if len(s.Workloads) <= maxAccounts {
			return false
		}
		if accounts[w.ServiceAccount] || len(accounts) < maxAccounts {
			accounts[w.ServiceAccount] = true
			return false
		}
		return doubt("more service accounts", fmt.Sprintf("the pods of a Service run as at most %d", maxAccounts))
	})
	return s
}

// without returns a list without some of its items: the list itself where it
// has none of them. Each item is asked about once, in order.
func without[T any](list []T, drops func(T) bool) []T {
	for i := range list {
		if !drops(list[i]) {
			continue
		}
		kept := slices.Clone(list[:i])
		for _, item := range list[i+1:] {
			if !drops(item) {
				kept = append(kept, item)
			}
		}
		return kept
	}
	return list
}
