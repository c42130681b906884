// SPDX-License-Identifier: Apache-2.0

package report

import (
	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
)

// Report is what a reconcile found and did.
type Report struct {
	// Revision that was compiled: a commit id, or "directory".
	Revision string `json:"revision"`
	// DryRun: nothing was written; the actions are what would be done.
	DryRun bool `json:"dryRun"`
	// Base is the revision that a dry run compared with; empty where it
	// compared with what the clusters hold.
	Base string `json:"base,omitempty"`
	// Assumed lists, one line each, what a dry run took for granted.
	Assumed []string `json:"assumed,omitempty"`
	// Clusters sorted by name. Empty where a diagnostic is an error.
	Clusters []Cluster `json:"clusters"`
	// Traffic that changes; only in a dry run.
	Traffic     []Share                `json:"traffic,omitempty"`
	Pending     []compiler.Pending     `json:"pending,omitempty"`
	Held        []compiler.Held        `json:"held,omitempty"`
	Quarantined []compiler.Quarantined `json:"quarantined,omitempty"`
	// Diagnostics of the files. With an error among them nothing was written.
	Diagnostics []diag.Diagnostic `json:"diagnostics,omitempty"`
}

// Cluster is what became of one cluster.
type Cluster struct {
	Name string `json:"cluster"`
	// Digest of the bundle.
	Digest string `json:"digest"`
	// Error says why the cluster could not be served, or not to the end.
	Error string `json:"error,omitempty"`
	// Actions in the order created, changed, pruned, claimed, released, pending,
	// held, failed. What is as it should be is not among them.
	Actions []Action `json:"actions"`
	// Unchanged counts the objects that are as they should be.
	Unchanged int `json:"unchanged"`
}

// Action is what became, or would become, of one object.
type Action struct {
	Op         apply.Op `json:"op"`
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Namespace  string   `json:"namespace,omitempty"`
	Name       string   `json:"name"`
	// Fragment is the policy that the object is written for.
	Fragment string `json:"fragment"`
	// Message says why, where the action is pending, held or failed.
	Message string `json:"message,omitempty"`
	// Diff is the unified difference of a dry run.
	Diff string `json:"diff,omitempty"`
}

// Share is what one backend is offered of one rule's traffic.
type Share struct {
	// Consumer is the cluster of the callers.
	Consumer string `json:"consumer"`
	// Service as namespace/name.
	Service string `json:"service"`
	Rule    string `json:"rule"`
	Tier    int32  `json:"tier"`
	Backend string `json:"backend"`
	// Before and After in permille of the tier; nil where the backend is not
	// in it.
	Before *int32 `json:"before"`
	After  *int32 `json:"after"`
}

// OK tells whether everything was compiled and every cluster served.
func (r Report) OK() bool {
	for _, c := range r.Clusters {
		if !c.OK() {
			return false
		}
	}
	return !diag.HasErrors(r.Diagnostics)
}

// OK tells whether the cluster was served to the end.
func (c Cluster) OK() bool { return c.Error == "" && c.count(apply.Failed) == 0 }

// Changed tells whether anything was written.
func (c Cluster) Changed() bool { return c.writes() > 0 }

// Changes tells whether a dry run found anything to do.
func (r Report) Changes() bool {
	for _, c := range r.Clusters {
		if c.writes() > 0 {
			return true
		}
	}
	return len(r.Traffic) > 0
}

// Settled tells whether nothing is missing that another round could find.
func (r Report) Settled() bool {
	for _, c := range r.Clusters {
		if c.count(apply.Pending) > 0 {
			return false
		}
	}
	return len(r.Pending) == 0
}

// writes counts the actions that change the cluster.
func (c Cluster) writes() int {
	n := 0
	for _, a := range c.Actions {
		if a.Op.Writes() {
			n++
		}
	}
	return n
}

func (c Cluster) count(op apply.Op) int {
	n := 0
	for _, a := range c.Actions {
		if a.Op == op {
			n++
		}
	}
	return n
}

// FromAction converts what apply did.
func FromAction(a apply.Action) Action {
	return Action{Op: a.Op, APIVersion: a.Ref.APIVersion, Kind: a.Ref.Kind, Namespace: a.Ref.Namespace, Name: a.Ref.Name,
		Fragment: string(a.Fragment), Message: a.Message}
}
