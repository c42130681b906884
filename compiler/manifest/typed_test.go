// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	typev1beta1 "istio.io/api/type/v1beta1"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	alpha "istio.io/client-go/pkg/apis/networking/v1alpha3"
	securityclient "istio.io/client-go/pkg/apis/security/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// typedObjects use every kind of field that a protocol buffer has.
func typedObjects() []any {
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "a", Labels: map[string]string{"a": "b"}}
	kind := func(k string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: "example.io/v1", Kind: k} }
	vs := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: meta}
	vs.Spec.Hosts = []string{"a", "b"}
	vs.Spec.Http = []*v1alpha3.HTTPRoute{{
		Match: []*v1alpha3.HTTPMatchRequest{{Uri: &v1alpha3.StringMatch{MatchType: &v1alpha3.StringMatch_Prefix{Prefix: ""}}, Port: 80,
			Headers: map[string]*v1alpha3.StringMatch{"x": {MatchType: &v1alpha3.StringMatch_Regex{Regex: "a.*"}}, "present": {}}}},
		Timeout: durationpb.New(1500 * time.Millisecond),
		Retries: &v1alpha3.HTTPRetry{Attempts: 3, PerTryTimeout: durationpb.New(2 * time.Second), RetryRemoteLocalities: wrapperspb.Bool(false)},
		Fault: &v1alpha3.HTTPFaultInjection{
			Delay: &v1alpha3.HTTPFaultInjection_Delay{HttpDelayType: &v1alpha3.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(-1234 * time.Microsecond)}, Percentage: &v1alpha3.Percent{Value: 0.1}},
			Abort: &v1alpha3.HTTPFaultInjection_Abort{ErrorType: &v1alpha3.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 503}, Percentage: &v1alpha3.Percent{Value: 50}}},
		MirrorPercentage: &v1alpha3.Percent{Value: 1e9},
		CorsPolicy:       &v1alpha3.CorsPolicy{AllowCredentials: wrapperspb.Bool(true), MaxAge: durationpb.New(time.Nanosecond), AllowMethods: []string{}},
	}}
	dr := &networking.DestinationRule{TypeMeta: kind("DestinationRule"), ObjectMeta: meta}
	dr.Spec.Host = "a"
	dr.Spec.TrafficPolicy = &v1alpha3.TrafficPolicy{
		LoadBalancer: &v1alpha3.LoadBalancerSettings{LbPolicy: &v1alpha3.LoadBalancerSettings_Simple{Simple: v1alpha3.LoadBalancerSettings_UNSPECIFIED},
			LocalityLbSetting: &v1alpha3.LocalityLoadBalancerSetting{Enabled: wrapperspb.Bool(true), FailoverPriority: []string{"a"},
				Distribute: []*v1alpha3.LocalityLoadBalancerSetting_Distribute{{From: "a", To: map[string]uint32{"b": 7}}}}},
		OutlierDetection: &v1alpha3.OutlierDetection{Consecutive_5XxErrors: wrapperspb.UInt32(0), SplitExternalLocalOriginErrors: true},
		Tls:              &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL, Sni: "<&>"},
		ConnectionPool: &v1alpha3.ConnectionPoolSettings{Tcp: &v1alpha3.ConnectionPoolSettings_TCPSettings{ConnectTimeout: durationpb.New(0)},
			Http: &v1alpha3.ConnectionPoolSettings_HTTPSettings{H2UpgradePolicy: v1alpha3.ConnectionPoolSettings_HTTPSettings_UPGRADE}},
	}
	policy := &securityclient.AuthorizationPolicy{TypeMeta: kind("AuthorizationPolicy"), ObjectMeta: meta}
	policy.Spec.Selector = &typev1beta1.WorkloadSelector{MatchLabels: map[string]string{"a": "b"}}
	policy.Spec.Rules = []*security.Rule{{From: []*security.Rule_From{{Source: &security.Source{Principals: []string{"a"}}}}}, {}}
	filter := &alpha.EnvoyFilter{TypeMeta: kind("EnvoyFilter"), ObjectMeta: meta}
	filter.Spec.Priority = -3
	port := "http"
	service := &corev1.Service{TypeMeta: kind("Service"), ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80, AppProtocol: &port}}}}
	return []any{vs, dr, policy, filter, service, &networking.Gateway{TypeMeta: kind("Gateway"), ObjectMeta: meta}}
}

// TestTypedObjectsAsTheirOwnJSON compares with what the types' own JSON says.
func TestTypedObjectsAsTheirOwnJSON(t *testing.T) {
	for _, typed := range typedObjects() {
		want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
		if err != nil {
			t.Fatal(err)
		}
		expected, err := FromContent(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := New(typed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected.content, got.content); diff != "" {
			t.Errorf("%T (-its JSON +ours):\n%s", typed, diff)
		}
	}
}

func TestTypedObjectsThatHaveNoJSON(t *testing.T) {
	endless := &networking.VirtualService{}
	endless.Spec.Http = []*v1alpha3.HTTPRoute{{MirrorPercentage: &v1alpha3.Percent{Value: math.Inf(1)}}}
	free := &alpha.EnvoyFilter{}
	free.Spec.ConfigPatches = []*v1alpha3.EnvoyFilter_EnvoyConfigObjectPatch{{Patch: &v1alpha3.EnvoyFilter_Patch{Value: &structpb.Struct{}}}}
	bare := &struct{ Spec v1alpha3.Gateway }{}
	for _, typed := range []any{endless, free, bare} {
		if _, err := New(typed); err == nil {
			t.Errorf("%T was encoded", typed)
		}
	}
}
