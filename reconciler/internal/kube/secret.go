// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// ConnectBySecret returns the configuration of the kubeconfig that a Secret of
// the hub holds. Errors are one line, and never have any of its bytes.
func ConnectBySecret(ctx context.Context, hub *rest.Config, ref v1alpha1.SecretReference) (*rest.Config, error) {
	client, err := NewClient(hub)
	if err != nil {
		return nil, err
	}
	secrets, err := client.Resource(schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, ref.Namespace)
	if err != nil {
		return nil, fmt.Errorf("ask the hub %s for Secrets: %w", hub.Host, err)
	}
	secret, err := secrets.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the hub %s has no Secret %s/%s", hub.Host, ref.Namespace, ref.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s/%s of the hub %s: %w", ref.Namespace, ref.Name, hub.Host, err)
	}
	key := cmp.Or(ref.Key, v1alpha1.DefaultSecretKey)
	text, found, err := unstructured.NestedString(secret.Object, "data", key)
	if !found || err != nil {
		return nil, fmt.Errorf("the Secret %s/%s of the hub has no key %q", ref.Namespace, ref.Name, key)
	}
	config, err := fromSecret(text)
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig in Secret %s/%s of the hub %w", ref.Namespace, ref.Name, err)
	}
	return tuned(config), nil
}

// fromSecret reads a value of a Secret's data. Its errors go on where "the
// kubeconfig" begins.
func fromSecret(text string) (*rest.Config, error) {
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is not base64")
	}
	loaded, err := clientcmd.Load(content)
	if err != nil {
		// The decoder quotes what it reads.
		return nil, errors.New("cannot be read: it is no kubeconfig")
	}
	if err := selfContained(loaded); err != nil {
		return nil, err
	}
	config, err := clientcmd.NewDefaultClientConfig(*loaded, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, errors.New("has no current context that reaches a cluster")
	}
	return config, nil
}

// selfContained refuses what would run programs or read files of the machine
// that the reconciler runs on: whoever writes the Secret is somebody else.
func selfContained(k *clientcmdapi.Config) error {
	for _, user := range k.AuthInfos {
		switch {
		case user.Exec != nil:
			return errors.New("runs a program to log in (users[].user.exec), which a Secret may not ask for")
		case user.AuthProvider != nil:
			return errors.New("names an auth-provider, which a Secret may not ask for")
		case user.ClientCertificate != "" || user.ClientKey != "" || user.TokenFile != "":
			return errors.New("names files of the user (give the data itself: client-certificate-data, client-key-data, token)")
		}
	}
	for _, cluster := range k.Clusters {
		if cluster.CertificateAuthority != "" {
			return errors.New("names a file of the cluster (give certificate-authority-data)")
		}
	}
	return nil
}
