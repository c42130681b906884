// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/explain"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"
)

// TestEveryFieldHasAnEffect changes every value of the documents of all stories
// and examples, one at a time, and looks at the objects of each provider: a
// field that a provider is said to honour must change something there in one
// story at least.
func TestEveryFieldHasAnEffect(t *testing.T) {
	seen := effects{}
	for _, in := range told(t) {
		seen.try(in)
	}
	for _, field := range leaves(reflect.TypeFor[v1alpha1.TrafficPolicySpec](), "spec") {
		for _, provider := range plan.Providers() {
			seen.need(t, "TrafficPolicySpec "+field, field, provider)
		}
	}
	for _, field := range leaves(reflect.TypeFor[v1alpha1.ClusterSetSpec](), "spec") {
		at := "ClusterSetSpec " + field
		like, isDefault := strings.CutPrefix(field, "spec.defaults.")
		switch {
		case !isDefault && len(seen[at]) == 0 && !slices.Contains(elsewhere, field):
			t.Errorf("%s: no story in which it changes anything", at)
		case isDefault:
			if strings.HasPrefix(like, "timeout") || strings.HasPrefix(like, "retries") {
				like = "rules." + like
			}
			for _, provider := range plan.Providers() {
				seen.need(t, at, "spec."+like, provider)
			}
		}
	}
}

// elsewhere are fields that nothing of what is written to clusters follows from.
var elsewhere = []string{
	"spec.trust.mode",                        // has one value
	"spec.clusters.istio.mode",               // the other value is refused
	"spec.connectivity.topology.groups.name", // for messages
	"spec.rollout.onFailure",                 // what reconcile does afterwards
}

// alone are fields that have one value that is right, or none.
var alone = []string{
	"spec.frontends.mesh", "spec.healthCheck.tcp", "spec.rules.sessionAffinity.sourceIP",
	"spec.access.allow.paths.regex", "spec.rules.mirror.backend.weight", "spec.rules.mirror.backend.priority",
}

// need fails where a provider is told nothing of a field that it does not refuse.
func (e effects) need(t *testing.T, at, field string, provider v1alpha1.Provider) {
	t.Helper()
	outside := provider == v1alpha1.ProviderIstio || provider == v1alpha1.ProviderEnvoyGateway
	switch {
	case withoutField(field, provider) || e[at][string(provider)] || e[at][common]:
	case strings.HasPrefix(field, "spec.acceptDegradations") && e[at][mistakes]:
	case strings.HasPrefix(field, "spec.frontends.gateway") && !outside || field == "spec.frontends.hostnames" && !outside:
	case field == "spec.service.names" && provider == v1alpha1.ProviderEnvoyGateway:
		// Names are what the pods of the clusters call.
	case slices.Contains(alone, field) || field == "spec.rules.matches.headers.present" && provider == v1alpha1.ProviderEnvoyGateway:
		// The other value is refused.
	case field == "spec.rules.name" && (provider == v1alpha1.ProviderCilium || provider == v1alpha1.ProviderFairlead):
		// There is one rule, and connections are not told apart by its name.
	default:
		t.Errorf("%s: no story in which it changes what %s is told", at, provider)
	}
}

// effects are the providers whose objects a field changes, by kind and field.
type effects map[string]map[string]bool

// common are objects that are not of one provider.
const common = "common"

// mistakes are what people are told.
const mistakes = "mistakes"

// input is a story that compiles.
type input struct {
	docs source.Documents
	inv  inventory.Inventory
}

// told are the stories and examples without mistakes.
func told(t *testing.T) []input {
	t.Helper()
	var out []input
	add := func(files fs.FS, inv inventory.Inventory) {
		if _, ds := Compile(files, inv); diag.HasErrors(ds) {
			return
		}
		docs, _ := source.Load(files)
		out = append(out, input{docs, inv})
	}
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, name := range stories {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := fstest.MapFS{}, inventory.Inventory{}
		for _, f := range archive.Files {
			if at, ok := strings.CutPrefix(f.Name, "policies/"); ok {
				files[at] = &fstest.MapFile{Data: f.Data}
			} else if f.Name == "inventory.yaml" {
				readInventory(t, f.Data, &inv)
			}
		}
		add(files, inv)
	}
	examples, err := filepath.Glob("../policies-example/*/inventory.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range examples {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var inv inventory.Inventory
		readInventory(t, text, &inv)
		add(os.DirFS(filepath.Join(filepath.Dir(name), "policies")), inv)
	}
	return out
}

func readInventory(t *testing.T, text []byte, into *inventory.Inventory) {
	t.Helper()
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// inList finds the places in lists in a path.
var inList = regexp.MustCompile(`\[[0-9]+\]`)

// try changes every value of one story of which it is not known yet what it
// does.
func (e effects) try(in input) {
	base := in.objects()
	for i := range in.docs.Policies {
		e.change(in, base, "TrafficPolicySpec", &in.docs.Policies[i].Spec)
	}
	for i := range in.docs.ClusterSets {
		e.change(in, base, "ClusterSetSpec", &in.docs.ClusterSets[i].Spec)
	}
}

func (e effects) change(in input, base map[string]string, kind string, spec any) {
	all := leaves(reflect.TypeOf(spec).Elem(), "spec")
	for _, c := range explain.Changes(spec, "spec") {
		path := inList.ReplaceAllString(c.Path, "")
		i := slices.IndexFunc(all, func(leaf string) bool { return path == leaf || strings.HasPrefix(path, leaf+".") })
		if i < 0 {
			continue
		}
		at := kind + " " + all[i]
		if e[at] == nil {
			e[at] = map[string]bool{}
		}
		if len(slices.DeleteFunc(slices.Collect(maps.Keys(base)), func(p string) bool { return e[at][p] })) == 0 {
			continue
		}
		for _, variant := range c.Variants {
			undo := variant()
			now := in.attempt()
			undo()
			for provider := range now {
				if now[provider] != base[provider] {
					e[at][provider] = true
				}
			}
			for provider := range base {
				if _, ok := now[provider]; !ok && now != nil {
					e[at][provider] = true
				}
			}
		}
	}
}

// attempt is objects; nil where a value was tried that is never allowed.
func (in input) attempt() (out map[string]string) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	return in.objects()
}

// objects writes down what each provider is told.
func (in input) objects() map[string]string {
	f, wrong := fleet.Build(in.docs, in.inv)
	plans, refused := plan.Build(f)
	var stages Result
	stages.stages(f)
	out := map[string]string{common: fmt.Sprint(stages.Stages), mistakes: fmt.Sprint(wrong, refused)}
	for _, p := range plans {
		var r Result
		r.add(p, in.inv)
		out[common] += p.API.String()
		for _, o := range r.Bundles[0].Objects() {
			out[providerOf(o.Ref().Kind)] += p.Store + " " + string(o.YAML())
		}
		for _, c := range r.Bundles[0].Claims() {
			out[string(v1alpha1.ProviderCilium)] += p.Store + " " + string(c.YAML())
		}
	}
	return out
}

// providerOf tells whose objects of a kind are.
func providerOf(kind string) string {
	switch kind {
	case "ServiceEntry", "DestinationRule", "VirtualService", "AuthorizationPolicy", "PeerAuthentication":
		return string(v1alpha1.ProviderIstio)
	case "CiliumNetworkPolicy":
		return string(v1alpha1.ProviderCilium)
	case "ServiceRoute":
		return string(v1alpha1.ProviderFairlead)
	case "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "BackendTrafficPolicy", "SecurityPolicy", "HTTPRouteFilter", "Backend":
		return string(v1alpha1.ProviderEnvoyGateway)
	}
	return common
}

// leaves are the fields of a type that are no blocks of named fields.
func leaves(typ reflect.Type, path string) []string {
	var out []string
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at, inner := path+"."+name, f.Type
		if f.Anonymous {
			at = path
		}
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.NumField() > 0 {
			out = append(out, leaves(inner, at)...)
		} else {
			out = append(out, at)
		}
	}
	return out
}

// withoutField tells whether the matrix says that a provider does not have a
// field or a block around it, or does less than the field says.
func withoutField(field string, provider v1alpha1.Provider) bool {
	return slices.ContainsFunc(plan.Matrix(), func(r plan.Row) bool {
		support := r.Of(provider)
		return slices.ContainsFunc(r.Fields, func(path string) bool {
			return support.Refusal != "" && !r.Sometimes() && (field == path || strings.HasPrefix(field, path+".")) || support.Degradation != "" && field == path
		})
	})
}
