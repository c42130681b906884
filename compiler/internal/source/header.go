// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// identity is what no two documents may share.
type identity struct{ kind, namespace, name string }

// String returns Kind namespace/name, or Kind name.
func (i identity) String() string {
	if i.namespace == "" {
		return i.kind + " " + shorten(i.name)
	}
	return i.kind + " " + shorten(i.namespace) + "/" + shorten(i.name)
}

func (i identity) compare(j identity) int {
	return cmp.Or(cmp.Compare(i.kind, j.kind), cmp.Compare(i.namespace, j.namespace), cmp.Compare(i.name, j.name))
}

// header is what a document says it is.
type header struct {
	// kind that the document is checked as; empty when it cannot be told.
	kind string
	// id as written; without a name where none is written.
	id     identity
	nameAt diag.Position
}

// written are the kinds that people write, and generated those that Fairlead
// writes, each sorted.
var (
	written   = []string{v1alpha1.KindClusterSet, v1alpha1.KindTrafficPolicy, v1alpha1.KindTrafficTest}
	generated = []string{v1alpha1.KindAppliedBundle, v1alpha1.KindDataplane, v1alpha1.KindNodeState, v1alpha1.KindServiceRoute}
)

// identify tells whether a document is ours, or was meant to be.
func identify(root *node) (header, []diag.Diagnostic, bool) {
	if root.kind != mappingNode {
		return notAMapping(root)
	}
	version := root.get("apiVersion")
	g, v, _ := strings.Cut(version.str(), "/")
	switch {
	case g == v1alpha1.Group:
	case nearGroup(g):
		return checkKind(root, diag.Diagnostic{Code: diag.CodeAPIVersion, Severity: diag.Error, Position: version.at,
			Message: fmt.Sprintf("unknown API group %q", shorten(g)), Fix: fmt.Sprintf("did you mean %q?", v1alpha1.GroupVersion)})
	case version == nil:
		return withoutVersion(root)
	case root.get("kind").str() == "List":
		return list(root)
	default:
		return header{}, nil, false
	}
	if v != v1alpha1.GroupVersion.Version {
		return checkKind(root, diag.Diagnostic{Code: diag.CodeAPIVersion, Severity: diag.Error, Position: version.at,
			Message: fmt.Sprintf("unknown version %q of %s", shorten(v), v1alpha1.Group), Fix: fmt.Sprintf("write %q", v1alpha1.GroupVersion)})
	}
	return checkKind(root)
}

// nearGroup tells whether a group was probably meant to be ours.
func nearGroup(g string) bool {
	lower := strings.ToLower(g)
	_, near, _ := slip(lower, []string{v1alpha1.Group})
	return near || lower == "fairlead" || strings.HasPrefix(lower, "fairlead.") || strings.HasSuffix(lower, "."+v1alpha1.Group)
}

// notAMapping decides about a document that is a list or a scalar: it is ours
// when it holds what was meant to be a document of ours.
func notAMapping(root *node) (header, []diag.Diagnostic, bool) {
	for _, item := range root.items {
		if ourGroup(item) {
			return header{}, []diag.Diagnostic{{Code: diag.CodeNotAMapping, Severity: diag.Error, Position: root.at,
				Message: "the document is a list", Fix: "write each as a document of its own, with a line --- between them"}}, true
		}
	}
	if root.kind == scalarNode && strings.HasPrefix(root.text, "apiVersion") && strings.Contains(root.text, v1alpha1.Group) {
		return header{}, []diag.Diagnostic{{Code: diag.CodeNotAMapping, Severity: diag.Error, Position: root.at,
			Message: "the document is a single text, not fields", Fix: "put a space after each colon"}}, true
	}
	return header{}, nil, false
}

// list refuses a List that has documents of ours among its items.
func list(root *node) (header, []diag.Diagnostic, bool) {
	items := root.get("items")
	if items == nil || !slices.ContainsFunc(items.items, ourGroup) {
		return header{}, nil, false
	}
	return header{}, []diag.Diagnostic{{Code: diag.CodeNotAMapping, Severity: diag.Error, Position: root.get("kind").at,
		Message: "Fairlead documents in a List are not read", Fix: "write each as a document of its own, with a line --- between them"}}, true
}

func ourGroup(n *node) bool { return ourGroupName(n.get("apiVersion")) }

func ourGroupName(version *node) bool {
	g, _, _ := strings.Cut(version.str(), "/")
	return g == v1alpha1.Group
}

// withoutVersion decides about a mapping that has no apiVersion: it is ours
// when its kind is, or when a key that was meant to be apiVersion says so.
func withoutVersion(root *node) (header, []diag.Diagnostic, bool) {
	missing := diag.Diagnostic{Code: diag.CodeMissing, Severity: diag.Error, Position: root.at,
		Message: "apiVersion is missing", Fix: fmt.Sprintf("write \"apiVersion: %s\"", v1alpha1.GroupVersion)}
	for _, f := range root.fields {
		if _, near, _ := slip(f.key, []string{"apiVersion"}); near && ourGroupName(f.value) {
			return checkKind(root) // the check of the shape tells
		}
	}
	kind := root.get("kind").str()
	if slices.Contains(written, kind) || slices.Contains(generated, kind) {
		return checkKind(root, missing)
	}
	return header{}, nil, false
}

// checkKind reads the rest of the header of a document that is ours.
func checkKind(root *node, ds ...diag.Diagnostic) (header, []diag.Diagnostic, bool) {
	n := root.get("kind")
	kind := n.str()
	d := diag.Diagnostic{Code: diag.CodeKind, Severity: diag.Error, Position: root.at,
		Fix: "write one of " + strings.Join(written, ", ")}
	if n != nil {
		d.Position = n.at
	}
	switch {
	case slices.Contains(written, kind):
		return newHeader(root, kind), ds, true
	case kind == inventory.Kind:
		// A repository may keep what its clusters looked like beside its policies.
		return header{}, nil, false
	case slices.Contains(generated, kind):
		d.Code, d.Message = diag.CodeWrittenByUs, fmt.Sprintf("documents of kind %s are written by Fairlead into the clusters, never by people", kind)
		d.Fix = "remove the document"
		return header{}, append(ds, d), true
	case n == nil:
		d.Message = "kind is missing"
		return header{}, append(ds, d), true
	case kind == "":
		d.Message = "kind must be a string"
		return header{}, append(ds, d), true
	}
	d.Message = fmt.Sprintf("unknown kind %q", shorten(kind))
	near, found := Nearest(kind, written)
	if !found {
		return header{}, append(ds, d), true
	}
	d.Fix = fmt.Sprintf("did you mean %q?", near)
	return newHeader(root, near), append(ds, d), true
}

func newHeader(root *node, kind string) header {
	meta := root.get("metadata")
	h := header{kind: kind, id: identity{kind: kind, namespace: meta.get("namespace").str(), name: meta.get("name").str()}}
	if n := meta.get("name"); n != nil {
		h.nameAt = n.at
	}
	return h
}
