// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppliedBundle records what was applied to a cluster last. It is the parent
// of the ApplySet (KEP-3659) that all objects of the ClusterSet in that
// cluster belong to, and has the name of the ClusterSet.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=fairlead
// +kubebuilder:metadata:labels="applyset.kubernetes.io/is-parent-type=true"
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.spec.revision`
// +kubebuilder:printcolumn:name="Outcome",type=string,JSONPath=`.spec.outcome`
// +kubebuilder:printcolumn:name="Digest",type=string,JSONPath=`.spec.digest`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AppliedBundle struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec AppliedBundleSpec `json:"spec"`
	// +optional
	Status AppliedBundleStatus `json:"status,omitempty"`
}

// AppliedBundleStatus is empty: the record is the spec, so that it is written
// in one step.
type AppliedBundleStatus struct{}

// AppliedBundleList is a list of applied bundles.
//
// +kubebuilder:object:root=true
type AppliedBundleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AppliedBundle `json:"items"`
}

// AppliedBundleSpec is the record.
type AppliedBundleSpec struct {
	// Cluster that the bundle is for, as the ClusterSet names it.
	Cluster string `json:"cluster"`
	// Revision of the repository: a commit id, or "directory" where the source
	// was not a repository.
	Revision string `json:"revision"`
	// Digest of the bundle: sha256:<hex>.
	Digest string `json:"digest"`
	// Outcome of the last apply.
	Outcome Outcome `json:"outcome"`
	// Held lists the policies, as namespace/name, whose objects were left as
	// they were.
	// +optional
	Held []string `json:"held,omitempty"`
	// Claims lists the objects of somebody else of which a few fields are
	// Fairlead's, each before the first field is written.
	// +optional
	Claims []ClaimedObject `json:"claims,omitempty"`
	// Traffic is where the requests of this cluster went by the applied
	// revision, for the next difference to compare with.
	// +optional
	Traffic []TrafficShare `json:"traffic,omitempty"`
}

// Outcome of an apply.
//
// +kubebuilder:validation:Enum=Applying;Applied;Partial
type Outcome string

// The outcomes. Applying is seen only while, or after the reconciler died
// while, a bundle was being applied; Partial: some objects were refused.
const (
	OutcomeApplying Outcome = "Applying"
	OutcomeApplied  Outcome = "Applied"
	OutcomePartial  Outcome = "Partial"
)

// ClaimedObject is an object that somebody else owns and of which a few labels
// or annotations are Fairlead's. The object's managed fields say which.
type ClaimedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespace is empty for cluster-scoped objects.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Fragment that claims the fields: TrafficPolicy/namespace/name, or
	// ClusterSet/name.
	Fragment string `json:"fragment"`
}

// TrafficShare is the part of one rule's traffic that one backend is offered
// while everything is healthy.
type TrafficShare struct {
	// Policy that says so, as namespace/name.
	Policy string `json:"policy"`
	// Service as namespace/name.
	Service string `json:"service"`
	// Rule by name, or by its place from 0.
	Rule string `json:"rule"`
	// Backend as cluster, cluster/version, or cluster/label=value,… for a subset.
	Backend string `json:"backend"`
	// Tier from 0.
	// +optional
	Tier int32 `json:"tier,omitempty"`
	// Permille of the tier's traffic, 0 to 1000.
	Permille int32 `json:"permille"`
}
