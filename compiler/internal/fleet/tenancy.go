// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/source"
)

const tenancyPath = "spec.tenancy"

// checkTenancies warns of paths in the tenancy of a set that no policy is below.
func (b *builder) checkTenancies(s *Set, files []string) {
	for i, t := range s.tenants {
		for j, p := range t.Paths {
			if slices.ContainsFunc(files, func(f string) bool { return below(f, p) }) {
				continue
			}
			fix := "correct the path, or remove it"
			if near, ok := source.Nearest(p, directories(files)); ok {
				fix = fmt.Sprintf("did you mean %q?", near)
			}
			b.warn(mistake{code: CodeTenantUnused, at: s.At(fmt.Sprintf("%s[%d].paths[%d]", tenancyPath, i, j)), fix: fix},
				"no policy is below %s", p)
		}
	}
}

// below tells whether a file is in a directory, whose name ends in a slash, or
// below it.
func below(file, directory string) bool {
	return strings.HasPrefix(file, directory)
}

// directories lists those of the files, each with a slash at its end.
func directories(files []string) []string {
	var out []string
	for _, f := range files {
		for d := path.Dir(f); d != "." && d != "/"; d = path.Dir(d) {
			out = append(out, d+"/")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tenantsOf returns the entries for a file: those with the longest path above
// it.
func (s *Set) tenantsOf(file string) []int {
	var out []int
	longest := -1
	for i, t := range s.tenants {
		for _, p := range t.Paths {
			switch n := len(p); {
			case !below(file, p) || n < longest:
			case n > longest:
				longest, out = n, []int{i}
			case out[len(out)-1] != i:
				out = append(out, i)
			}
		}
	}
	return out
}

// checkTenant: a policy must be allowed by one of the entries for its file.
func (b *builder) checkTenant(s *Service, p *Policy) {
	if len(s.Set.tenants) == 0 {
		return
	}
	file := p.At("").File
	entries := s.Set.tenantsOf(file)
	if len(entries) == 0 {
		b.report(mistake{code: CodeTenancy, at: p.At("metadata.name"), fix: "move it below a path of the tenancy, or add an entry for its directory",
			related: also(s.Set.At(tenancyPath), "the tenancy")},
			"the tenancy of ClusterSet %q allows no policies in %s", s.Set.Name, file)
		return
	}
	var first []diag.Diagnostic
	for n, i := range entries {
		found := b.breaches(s, p, i)
		if len(found) == 0 {
			return
		}
		if n == 0 {
			first = found
		}
	}
	b.diags = append(b.diags, first...)
}

// breaches lists what an entry of the tenancy does not allow a policy.
func (b *builder) breaches(s *Service, p *Policy, entry int) []diag.Diagnostic {
	t, at := s.Set.tenants[entry], fmt.Sprintf("%s[%d]", tenancyPath, entry)
	where := strings.Join(t.Paths, ", ")
	var out []diag.Diagnostic
	add := func(d diag.Diagnostic, related string) {
		d.Code, d.Severity, d.Related = CodeTenancy, diag.Error, also(s.Set.At(at+related), "the tenancy")
		out = append(out, d)
	}
	if len(t.Namespaces) > 0 && !slices.Contains(t.Namespaces, p.Namespace) {
		add(diag.Diagnostic{Position: p.At("metadata.namespace"), Fix: suggest(p.Namespace, t.Namespaces),
			Message: fmt.Sprintf("policies below %s are not for namespace %q", where, p.Namespace)}, ".namespaces")
	}
	if len(t.Clusters) == 0 {
		return out
	}
	seen := map[*Cluster]bool{}
	for _, m := range p.mentions(s) {
		if slices.Contains(t.Clusters, m.cluster.Name) || seen[m.cluster] {
			continue
		}
		seen[m.cluster] = true
		add(diag.Diagnostic{Position: p.At(m.path), Fix: m.fix,
			Message: fmt.Sprintf("policies below %s %s cluster %q", where, m.verb, m.cluster.Name)}, ".clusters")
	}
	return out
}

// mention is a place where a policy has to do with a cluster.
type mention struct {
	cluster         *Cluster
	path, verb, fix string
}

// mentions lists the clusters that a policy names, or exports from and imports
// to without naming them.
func (p *Policy) mentions(s *Service) []mention {
	var out []mention
	named := func(clusters []string, path string) {
		for i, name := range clusters {
			if c := p.Set.Cluster(name); c != nil {
				out = append(out, mention{c, fmt.Sprintf("%s.clusters[%d]", path, i), "may not name", "remove it"})
			}
		}
	}
	if e := p.spec.Exports; e != nil {
		named(e.From.Clusters, "spec.exports.from")
	}
	if i := p.spec.Imports; i != nil {
		named(i.To.Clusters, "spec.imports.to")
	}
	for _, r := range p.Rules {
		for _, b := range r.Backends {
			out = append(out, mention{b.Cluster, b.Path + ".cluster", "may not name", "remove it"})
		}
		if r.Mirror != nil {
			out = append(out, mention{r.Mirror.Cluster, r.Mirror.Path + ".cluster", "may not name", "remove it"})
		}
	}
	for _, a := range p.allow {
		named(a.AccessRule.Clusters, a.Path)
	}
	if p == s.Producer && p.spec.Exports != nil {
		for _, c := range s.named() {
			out = append(out, mention{c, "spec.exports.from", "may not export from", "narrow exports.from"})
		}
	}
	for _, c := range p.Consumers {
		out = append(out, mention{c, p.importsPath(), "may not import to", "narrow imports.to"})
	}
	return out
}
