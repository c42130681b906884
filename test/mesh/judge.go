// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// judge asks the admission of each istiod about every object of Istio's that was
// emitted for it. A warning is as bad as a refusal.
func (w *World) judge(t testing.TB) {
	t.Helper()
	judged := 0
	for _, b := range w.Result.Bundles {
		control, ok := w.istiods[b.Store]
		if !ok {
			continue
		}
		for _, o := range b.Objects() {
			if !strings.HasSuffix(o.Unstructured().GroupVersionKind().Group, ".istio.io") {
				continue
			}
			judged++
			if why := control.refuses(t, o.Unstructured()); why != "" {
				t.Errorf("istiod of %s: %s: %s", b.Store, reference(o.Unstructured()), why)
			}
		}
	}
	if judged == 0 {
		t.Error("no object of Istio's was emitted")
	}
}

// refuses returns what the admission has against an object, nothing where it
// takes it.
func (i *istiod) refuses(t testing.TB, o *unstructured.Unstructured) string {
	t.Helper()
	gvk := o.GroupVersionKind()
	review := admissionv1.AdmissionReview{TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{UID: "1", Operation: admissionv1.Create, Namespace: o.GetNamespace(), Name: o.GetName(),
			Kind: metav1.GroupVersionKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind}, Object: runtime.RawExtension{Raw: must(o.MarshalJSON())(t)}}}
	answer := must(http.Post("http://"+i.http+"/validate", "application/json", bytes.NewReader(must(json.Marshal(review))(t))))(t)
	defer answer.Body.Close()
	text := must(io.ReadAll(answer.Body))(t)
	var out admissionv1.AdmissionReview
	if err := json.Unmarshal(text, &out); err != nil || out.Response == nil {
		return fmt.Sprintf("no answer: %s", text)
	}
	if !out.Response.Allowed {
		return out.Response.Result.Message
	}
	return strings.Join(out.Response.Warnings, "; ")
}

// complaints are what a control plane counts while it translates, and what must
// stay zero: names, subsets, listeners or clusters that get in each other's way,
// and answers that it could not make.
var complaints = []string{"pilot_conflict_inbound_listener", "pilot_conflict_outbound_listener_tcp_over_current_tcp", "pilot_destrule_subsets",
	"pilot_dns_cluster_without_endpoints", "pilot_duplicate_envoy_clusters", "pilot_vservice_dup_domain", "pilot_total_xds_internal_errors",
	"pilot_total_xds_rejects", "pilot_total_rejected_configs", "pilot_k8s_object_errors"}

// complaints reports what the control planes complain of.
func (w *World) complaints(t testing.TB) {
	t.Helper()
	for _, name := range sortedKeys(w.istiods) {
		answer := must(http.Get("http://" + w.istiods[name].http + "/metrics"))(t)
		text := must(io.ReadAll(answer.Body))(t)
		answer.Body.Close()
		if !strings.Contains(string(text), "\npilot_vservice_dup_domain") {
			t.Fatalf("the metrics of the istiod of %s are unlike what they were: %s", name, text)
		}
		for line := range strings.Lines(string(text)) {
			metric, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			metric, _, _ = strings.Cut(metric, "{")
			if slices.Contains(complaints, metric) && value != "0" {
				t.Errorf("the istiod of %s complains: %s", name, line)
			}
		}
	}
}
