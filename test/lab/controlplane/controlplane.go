// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/fairlead/fairlead/test/lab/process"
)

// ControlPlane is a running control plane. Its methods may be called
// concurrently.
type ControlPlane struct {
	config Config
	ca     *authority
	admin  *rest.Config

	mu                       sync.Mutex
	etcd, apiServer, manager *process.Process
}

// Start starts a control plane and returns when it serves, default service
// account included. After an error nothing runs.
func Start(ctx context.Context, config Config) (*ControlPlane, error) {
	c := &ControlPlane{config: config}
	if err := c.start(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("start the control plane of %s: %w", config.Name, err)
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) (err error) {
	if c.ca, err = newAuthority(c.config.Name); err != nil {
		return err
	}
	if err := c.config.writeFiles(c.ca); err != nil {
		return err
	}
	if c.admin, err = c.UserConfig("admin", "system:masters"); err != nil {
		return err
	}
	if err := clientcmd.WriteToFile(Kubeconfig(map[string]*rest.Config{c.config.Name: c.admin}), c.config.file("admin.kubeconfig")); err != nil {
		return err
	}
	// The API server waits for etcd by itself, so both start at once.
	if c.etcd, err = c.run("etcd", c.config.etcdArgv()); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	if c.manager, err = c.run("kube-controller-manager", c.config.controllerManagerArgv()); err != nil {
		return err
	}
	return c.manager.Wait(ctx, c.accountsReady)
}

// run starts one of the programs with a log of its name.
func (c *ControlPlane) run(name string, argv []string) (*process.Process, error) {
	return process.Start(process.Spec{Argv: argv, Dir: c.config.Dir, Log: c.config.file(name + ".log")})
}

// ready asks the API server.
func (c *ControlPlane) ready(ctx context.Context) error {
	client, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return err
	}
	// Connections of this client must not outlive the question.
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin.Host+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New("readyz: " + resp.Status)
	}
	return nil
}

// accountsReady reports whether pods can be created in the default namespace,
// which needs the controllers to have started.
func (c *ControlPlane) accountsReady(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return errors.New("no default service account yet")
	}
	return err
}

// RESTConfig is a cluster administrator's access from this network namespace,
// without client-side rate limits. The caller may change it.
func (c *ControlPlane) RESTConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// UserConfig is the access of a user in groups, by a client certificate. What
// they may do is for RBAC to say.
func (c *ControlPlane) UserConfig(user string, groups ...string) (*rest.Config, error) {
	p, err := c.ca.client(user, groups)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:            c.config.url(),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.ca.pem, CertData: p.cert, KeyData: p.key},
		QPS:             -1,
	}, nil
}

// StopAPIServer kills the API server, as a crash would. etcd and the controller
// manager stay. Stopping a stopped one does nothing.
func (c *ControlPlane) StopAPIServer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apiServer != nil {
		c.apiServer.Kill()
		c.apiServer = nil
	}
}

// StartAPIServer starts the API server again, with the same data and port, and
// returns when it is ready. Starting a started one does nothing.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apiServer != nil {
		return nil
	}
	p, err := c.run("kube-apiserver", c.config.apiServerArgv())
	if err != nil {
		return err
	}
	c.apiServer = p
	return p.Wait(ctx, c.ready)
}

// AuditLog is the file in which the API server logs every write as one line of
// JSON (audit.k8s.io/v1 Event, level Metadata).
func (c *ControlPlane) AuditLog() string { return c.config.auditLog() }

// Close ends the processes. Files in the directory stay.
func (c *ControlPlane) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range []*process.Process{c.manager, c.apiServer, c.etcd} {
		if p != nil {
			p.Kill()
		}
	}
	c.manager, c.apiServer, c.etcd = nil, nil, nil
}

// Kubeconfig makes one kubeconfig of several accesses: a context, a cluster and
// a user per key. The current context is the first in order of names.
func Kubeconfig(accesses map[string]*rest.Config) clientcmdapi.Config {
	k := *clientcmdapi.NewConfig()
	for name, a := range accesses {
		k.Clusters[name] = &clientcmdapi.Cluster{Server: a.Host, CertificateAuthorityData: a.CAData}
		k.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: a.CertData, ClientKeyData: a.KeyData}
		k.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
		if k.CurrentContext == "" || name < k.CurrentContext {
			k.CurrentContext = name
		}
	}
	return k
}
