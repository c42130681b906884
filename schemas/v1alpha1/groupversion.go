// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind of Fairlead.
const Group = "fairlead.dev"

// GroupVersion is the group and version of the kinds in this package.
var GroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

// Kinds, spelled as they stand in a manifest.
const (
	KindTrafficPolicy = "TrafficPolicy"
	KindClusterSet    = "ClusterSet"
	KindTrafficTest   = "TrafficTest"
	KindDataplane     = "Dataplane"
	KindNodeState     = "NodeState"
	KindServiceRoute  = "ServiceRoute"
	KindAppliedBundle = "AppliedBundle"
)

// AddToScheme registers every kind of this package, and its list, with s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&TrafficPolicy{}, &TrafficPolicyList{},
		&ClusterSet{}, &ClusterSetList{},
		&TrafficTest{}, &TrafficTestList{},
		&Dataplane{}, &DataplaneList{},
		&NodeState{}, &NodeStateList{},
		&ServiceRoute{}, &ServiceRouteList{},
		&AppliedBundle{}, &AppliedBundleList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
