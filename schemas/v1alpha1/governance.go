// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// DefaultAccess is what holds where a policy says nothing of access.
type DefaultAccess struct {
	// Default: allow leaves such services untouched; deny lets nobody call
	// them. Left out: allow.
	// +optional
	// +kubebuilder:validation:Enum=allow;deny
	Default AccessDefault `json:"default,omitempty"`
}

// AccessDefault is allow or deny.
type AccessDefault string

// The defaults of access.
const (
	AccessAllow AccessDefault = "allow"
	AccessDeny  AccessDefault = "deny"
)

// Trust says where the roots of identities come from.
type Trust struct {
	// Mode: provided means that the roots are the user's own; that those of all
	// meshes agree is verified against the inventory. Left out: provided.
	// +optional
	// +kubebuilder:validation:Enum=provided
	Mode string `json:"mode,omitempty"`
}

// Tenant says what the policies below some directories may govern.
type Tenant struct {
	// Paths are directories of the repository, from its root, each with a slash
	// at its end.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Paths []string `json:"paths"`
	// Namespaces that policies below the paths may be for. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Namespaces []string `json:"namespaces,omitempty"`
	// Clusters that such policies may export from, import to and name. Left
	// out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Clusters []string `json:"clusters,omitempty"`
}

// Defaults of what policies leave out, whole block by whole block: a policy
// that has a block of its own takes nothing from the default one.
type Defaults struct {
	// Failover of policies without one.
	// +optional
	Failover *Failover `json:"failover,omitempty"`
	// Resilience of policies without one.
	// +optional
	Resilience *Resilience `json:"resilience,omitempty"`
	// LoadBalancing of policies without one.
	// +optional
	LoadBalancing *LoadBalancing `json:"loadBalancing,omitempty"`
	// Timeout of rules for http and grpc ports without one. Left out: none.
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
	// Retries of rules for http and grpc ports without one.
	// +optional
	Retries *Retries `json:"retries,omitempty"`
}

// Rollout says in which order a change reaches the clusters.
type Rollout struct {
	// Stages one after the other.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Stages []Stage `json:"stages"`
	// OnFailure of a stage: rollback brings its clusters back to what they had,
	// halt leaves them. In this version they are left with both, and the stages
	// after them wait. Left out: rollback.
	// +optional
	// +kubebuilder:validation:Enum=rollback;halt
	OnFailure string `json:"onFailure,omitempty"`
}

// Stage is a set of clusters that change together.
type Stage struct {
	// Name of the stage, unique in the rollout.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Clusters of the stage by name or label. Left out, in the last stage
	// alone: every cluster that no stage before has.
	// +optional
	ClusterSelector `json:",inline"`
	// Soak is how long the stage must be well before the next begins. Left out:
	// not at all.
	// +optional
	Soak Duration `json:"soak,omitempty"`
}
