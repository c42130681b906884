// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// istiod gives every namespace that it serves the certificates that its proxies
// trust: the ConfigMap and the key are Istio's own names.
const (
	rootsConfigMap = "istio-ca-root-cert"
	rootsKey       = "root-cert.pem"
)

// mostRoots that a mesh trusts: while a root is changed it has two.
const mostRoots = 16

// roots returns the digests of the certificates that the cluster's mesh trusts.
// They are where istiod is, or in a cluster that another one's istiod serves,
// where the guides put it. None where there is no mesh, or it cannot be read.
func (l *lister) roots(ctx context.Context, served []schema.GroupVersionKind) ([]string, error) {
	if !slices.ContainsFunc(served, func(k schema.GroupVersionKind) bool { return k.Group == "networking.istio.io" }) {
		return nil, nil
	}
	namespace := v1alpha1.DefaultRootNamespace
	err := l.list(ctx, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, istiod.selector, func(o *unstructured.Unstructured) error {
		namespace = o.GetNamespace()
		return nil
	})
	if err != nil {
		return nil, err
	}
	resource, err := l.client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, namespace)
	if err != nil {
		return nil, err
	}
	o, err := resource.Get(ctx, rootsConfigMap, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the roots of the mesh: %w", err)
	}
	text, _, _ := unstructured.NestedString(o.Object, "data", rootsKey)
	return digests([]byte(text)), nil
}

// digests returns the SHA-256 of each certificate in PEM, sorted; what is no
// certificate is left out.
func digests(text []byte) []string {
	var out []string
	for len(out) < mostRoots {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			continue
		}
		sum := sha256.Sum256(block.Bytes)
		out = append(out, hex.EncodeToString(sum[:]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
