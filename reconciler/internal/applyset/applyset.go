// SPDX-License-Identifier: Apache-2.0

package applyset

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// The labels and annotations of KEP-3659.
const (
	// LabelID on the parent holds the set's id.
	LabelID = "applyset.kubernetes.io/id"
	// LabelPartOf on a member holds the id of its set.
	LabelPartOf = "applyset.kubernetes.io/part-of"
	// AnnotationTooling on the parent names the tool that manages the set.
	AnnotationTooling = "applyset.kubernetes.io/tooling"
	// AnnotationKinds on the parent lists the kinds of the members.
	AnnotationKinds = "applyset.kubernetes.io/contains-group-kinds"
	// AnnotationNamespaces on the parent lists the namespaces of the members.
	AnnotationNamespaces = "applyset.kubernetes.io/additional-namespaces"
)

// Tooling is our value of AnnotationTooling. Its version is that of these
// marks, not of the program: tools refuse sets of another tool, and a new
// program must not refuse its own.
const Tooling = ToolName + "/v1"

// ToolName is the part of Tooling that says whose set it is.
const ToolName = "fairlead"

// ID returns the id of the set whose parent is the AppliedBundle of that name,
// computed as the KEP says.
func ID(clusterSet string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s.%s.%s.%s", clusterSet, "", v1alpha1.KindAppliedBundle, v1alpha1.Group))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

// Ours tells whether the value of AnnotationTooling is of this tool, of
// whatever version.
func Ours(tooling string) bool {
	name, _, _ := strings.Cut(tooling, "/")
	return name == ToolName
}

// FormatKinds returns the value of AnnotationKinds: sorted, without repetition.
func FormatKinds(kinds []schema.GroupKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	return FormatNamespaces(names)
}

// ParseKinds is the reverse of FormatKinds.
func ParseKinds(value string) []schema.GroupKind {
	names := ParseNamespaces(value)
	kinds := make([]schema.GroupKind, len(names))
	for i, name := range names {
		kinds[i] = schema.ParseGroupKind(name)
	}
	return kinds
}

// FormatNamespaces returns the value of AnnotationNamespaces: sorted, without
// repetition.
func FormatNamespaces(names []string) string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}

// ParseNamespaces is the reverse of FormatNamespaces.
func ParseNamespaces(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}
