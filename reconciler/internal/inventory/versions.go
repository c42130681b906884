// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// controlPlane is how the Deployment of a provider's control plane is found, and
// its container whose image has the version.
type controlPlane struct{ selector, container string }

var (
	istiod         = controlPlane{"app=istiod", "discovery"}
	ciliumOperator = controlPlane{"io.cilium/app=operator", "cilium-operator"}
	envoyGateway   = controlPlane{"control-plane=envoy-gateway", "envoy-gateway"}
)

// version returns the version of a control plane in the cluster, as the tag of
// its image tells it; empty where there is none.
func (l *lister) version(ctx context.Context, of controlPlane) (string, error) {
	var versions []string
	kind := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	err := l.list(ctx, kind, of.selector, func(o *unstructured.Unstructured) error {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		for _, c := range containers {
			if container, _ := c.(map[string]any); container["name"] == of.container {
				image, _ := container["image"].(string)
				versions = append(versions, imageVersion(image))
			}
		}
		return nil
	})
	if len(versions) == 0 {
		return "", err
	}
	// Two control planes are an upgrade in progress: what both understand counts.
	slices.Sort(versions)
	return versions[0], err
}

// imageVersion returns the tag of an image without a leading v and its variant,
// such as 1.31.1 of docker.io/istio/pilot:1.31.1-distroless.
func imageVersion(image string) string {
	image, _, _ = strings.Cut(image, "@")
	tag := image[strings.LastIndexByte(image, ':')+1:]
	if strings.Contains(tag, "/") || tag == image {
		return ""
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(tag, "v"), "-")
	return version
}

// The values of a cluster's host routing.
const (
	routingEBPF   = "ebpf"
	routingLegacy = "legacy"
)

// cilium returns the version of Cilium and how it forwards packets of the host;
// empty where the cluster has none.
func (l *lister) cilium(ctx context.Context) (version, routing string, err error) {
	version, err = l.version(ctx, ciliumOperator)
	if version == "" || err != nil {
		return "", "", err
	}
	routing, err = l.hostRouting(ctx)
	return version, routing, err
}

// hostRouting returns how Cilium's agents are told to forward packets of the
// host. Without their own masquerading and kube-proxy's work they fall back to
// the kernel's stack (cilium pkg/kpr/initializer). Empty where the configuration
// cannot be read: an installation may keep it elsewhere, or to itself.
func (l *lister) hostRouting(ctx context.Context) (string, error) {
	resource, err := l.client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, metav1.NamespaceSystem)
	if err != nil {
		return "", err
	}
	o, err := resource.Get(ctx, "cilium-config", metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the configuration of Cilium: %w", err)
	}
	config, _, _ := unstructured.NestedStringMap(o.Object, "data")
	if config["enable-host-legacy-routing"] == "true" || config["enable-bpf-masquerade"] != "true" || config["kube-proxy-replacement"] != "true" {
		return routingLegacy, nil
	}
	return routingEBPF, nil
}
