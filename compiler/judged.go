// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// The codes of guardrails.
const (
	CodeGuardrail        = "FL1511"
	CodeGuardrailBroken  = "FL1512"
	CodeGuardrailLimit   = "FL1513"
	CodeGuardrailNowhere = "FL1514"
)

func guardrailCodes() []diag.Code {
	return []diag.Code{
		{ID: CodeGuardrail, Title: "a guardrail says no", Doc: "A rule of the organisation's own, in guardrails/*.cue, forbids or warns of something. Its author wrote the message; the place of the rule is shown beside it."},
		{ID: CodeGuardrailBroken, Title: "broken guardrail", Doc: "A file in guardrails/ is not CUE, or what it says cannot be evaluated, or its deny and warn are not lists of {message: …}. Until it is mended nothing is known to keep it, so it is an error."},
		{ID: CodeGuardrailLimit, Title: "guardrail over a limit", Doc: "Evaluating a guardrail took longer, or needed more memory, than a guardrail may; or it says more, or there are more of them, than may be. Simplify it."},
		{ID: CodeGuardrailNowhere, Title: "guardrail about nothing", Doc: "A guardrail's message names a document that the repository does not have. Write TrafficPolicy/namespace/name or ClusterSet/name, taken from the document itself."},
	}
}

// Judged is what guardrails judge: the documents as they are written, and what
// comes of them. Its JSON is what their authors see.
type Judged struct {
	ClusterSets []v1alpha1.ClusterSet    `json:"clusterSets"`
	Policies    []v1alpha1.TrafficPolicy `json:"policies"`
	// Clusters of all sets, with the name of the set.
	Clusters []JudgedCluster `json:"clusters"`
	// Traffic is what each consumer gets while everything is healthy, one entry
	// for each backend.
	Traffic []JudgedTraffic `json:"traffic"`
	// Objects that are written.
	Objects []JudgedObject `json:"objects"`

	origins map[string]source.Origin
}

// JudgedCluster is a cluster of a set, with its label maps never absent.
type JudgedCluster struct {
	ClusterSet string            `json:"clusterSet"`
	Name       string            `json:"name"`
	Region     string            `json:"region"`
	Zone       string            `json:"zone"`
	Labels     map[string]string `json:"labels"`
}

// JudgedTraffic is the share of one backend at one consumer.
type JudgedTraffic struct {
	// Policy as TrafficPolicy/namespace/name, Service as namespace/name, Rule by
	// name or place.
	Policy  string `json:"policy"`
	Service string `json:"service"`
	Rule    string `json:"rule"`
	// Consumer is the cluster of the callers, Cluster that of the pods.
	Consumer string `json:"consumer"`
	Cluster  string `json:"cluster"`
	// Tier from 0, and the share in it in thousandths.
	Tier     int32 `json:"tier"`
	Permille int32 `json:"permille"`
}

// JudgedObject is an object that is written to a cluster.
type JudgedObject struct {
	Cluster   string `json:"cluster"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Fragment is the document that it follows from.
	Fragment string `json:"fragment"`
}

// Judge gathers what guardrails see of files. The diagnostics are those of
// Compile; with an error among them there is nothing to judge.
func Judge(files fs.FS, inv inventory.Inventory) (Judged, []diag.Diagnostic) {
	result, diags := Compile(files, inv)
	if diag.HasErrors(diags) {
		return Judged{}, diags
	}
	docs, _ := source.Load(files)
	// Lists are never absent, so that a rule can go over them.
	out := Judged{ClusterSets: []v1alpha1.ClusterSet{}, Policies: []v1alpha1.TrafficPolicy{}, Clusters: []JudgedCluster{},
		Traffic: []JudgedTraffic{}, Objects: []JudgedObject{}, origins: map[string]source.Origin{}}
	for _, s := range docs.ClusterSets {
		out.ClusterSets = append(out.ClusterSets, s.ClusterSet)
		out.origins[v1alpha1.KindClusterSet+"/"+s.Name] = s.Origin
		for _, c := range s.Spec.Clusters {
			labels := c.Labels
			if labels == nil {
				labels = map[string]string{}
			}
			out.Clusters = append(out.Clusters, JudgedCluster{ClusterSet: s.Name, Name: c.Name, Region: c.Region, Zone: c.Zone, Labels: labels})
		}
	}
	for _, p := range docs.Policies {
		out.Policies = append(out.Policies, p.TrafficPolicy)
		out.origins[v1alpha1.KindTrafficPolicy+"/"+p.Namespace+"/"+p.Name] = p.Origin
	}
	for _, t := range result.Traffic {
		cluster, _, _ := strings.Cut(t.Backend, "/")
		out.Traffic = append(out.Traffic, JudgedTraffic{Policy: string(t.Fragment), Service: t.Service, Rule: t.Rule, Consumer: t.Consumer,
			Cluster: cluster, Tier: t.Tier, Permille: t.Permille})
	}
	for _, b := range result.Bundles {
		for _, f := range b.Fragments {
			for _, o := range f.Objects {
				ref := o.Ref()
				out.Objects = append(out.Objects, JudgedObject{Cluster: b.Store, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Fragment: string(f.ID)})
			}
		}
	}
	return out, slices.Clone(diags)
}

// At returns the place of a field of a document, which is named
// TrafficPolicy/namespace/name or ClusterSet/name; false where there is no such
// document.
func (j Judged) At(document, path string) (diag.Position, bool) {
	o, ok := j.origins[document]
	if !ok {
		return diag.Position{}, false
	}
	return o.At(path), true
}
