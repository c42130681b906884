// SPDX-License-Identifier: Apache-2.0

package apply

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
)

// Owner says who an object that is not ours belongs to, as well as can be
// known: the ApplySet or tool that its labels name, or who wrote it last besides
// Fairlead's claims.
func Owner(o metav1.Object) string {
	if set := o.GetLabels()[applyset.LabelPartOf]; set != "" {
		return "another ApplySet (" + set + ")"
	}
	if tool := o.GetLabels()[manifest.LabelManagedBy]; tool != "" && tool != manifest.ManagedBy {
		return tool
	}
	owner := "somebody else"
	var last *metav1.Time
	for _, entry := range o.GetManagedFields() {
		if entry.Subresource == "" && !ownManager(entry.Manager) && (last == nil || entry.Time != nil && last.Before(entry.Time)) {
			owner, last = entry.Manager, entry.Time
		}
	}
	return owner
}
