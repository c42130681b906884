// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"net"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Resources that Fairlead writes to clusters without a mesh.
var (
	ServiceImports = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceimports"}
	ServiceExports = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceexports"}
	ServiceRoutes  = v1alpha1.GroupVersion.WithResource("serviceroutes")
	Dataplanes     = v1alpha1.GroupVersion.WithResource("dataplanes")
	NodeStates     = v1alpha1.GroupVersion.WithResource("nodestates")
	AppliedBundles = v1alpha1.GroupVersion.WithResource("appliedbundles")
)

// Written lists what the reconciler writes.
func Written() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{ServiceImports, ServiceExports, ServiceRoutes, Dataplanes, AppliedBundles}
}

// Dynamic is an administrator's client of a cluster.
func (w *World) Dynamic(cluster string) (dynamic.Interface, error) {
	return dynamic.NewForConfig(w.Lab.Cluster(cluster).RESTConfig())
}

// Objects are all objects of the resources that the reconciler writes, by
// "resource namespace/name".
func (w *World) Objects(ctx context.Context, cluster string) (map[string]unstructured.Unstructured, error) {
	client, err := w.Dynamic(cluster)
	if err != nil {
		return nil, err
	}
	all := map[string]unstructured.Unstructured{}
	for _, resource := range Written() {
		list, err := client.Resource(resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list %s of %s: %w", resource.Resource, cluster, err)
		}
		for _, o := range list.Items {
			all[resource.Resource+" "+o.GetNamespace()+"/"+o.GetName()] = o
		}
	}
	return all, nil
}

// Versions are the resource versions of Objects of both clusters: equal maps
// mean that nothing was written between two looks.
func (w *World) Versions(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, c := range w.Lab.Clusters() {
		objects, err := w.Objects(ctx, c.Name)
		if err != nil {
			return nil, err
		}
		for key, o := range objects {
			versions[c.Name+" "+key] = string(o.GetUID()) + " " + o.GetResourceVersion()
		}
	}
	return versions, nil
}

// ClusterSetIP is the address of a ServiceImport, with the given port.
func (w *World) ClusterSetIP(ctx context.Context, cluster, service string, port int) (string, error) {
	client, err := w.Dynamic(cluster)
	if err != nil {
		return "", err
	}
	o, err := client.Resource(ServiceImports).Namespace(Namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	ips, _, err := unstructured.NestedStringSlice(o.Object, "spec", "ips")
	if err != nil || len(ips) == 0 {
		return "", fmt.Errorf("the ServiceImport %s of %s has no clusterset IP", service, cluster)
	}
	return net.JoinHostPort(ips[0], strconv.Itoa(port)), nil
}

// VisitorAddress is the address of a cluster's visitor pod.
func (w *World) VisitorAddress(ctx context.Context, cluster string) (string, error) {
	pod, err := w.Lab.Cluster(cluster).Client().CoreV1().Pods(Namespace).Get(ctx, Visitor, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return pod.Status.PodIP, nil
}

// Delete deletes a cluster-scoped object.
func (w *World) Delete(ctx context.Context, cluster string, resource schema.GroupVersionResource, name string) error {
	client, err := w.Dynamic(cluster)
	if err != nil {
		return err
	}
	return client.Resource(resource).Delete(ctx, name, metav1.DeleteOptions{})
}
