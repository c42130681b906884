// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/test/tools"
)

// Config says what one control plane is. Every field is needed.
type Config struct {
	// Name is the cluster's, for messages and certificates.
	Name string
	// Dir is an existing directory for this control plane alone.
	Dir string
	// Tools are the built programs.
	Tools tools.Store
	// ServiceCIDRs are one or two, of different families.
	ServiceCIDRs []netip.Prefix
	// Addresses are where clients outside this namespace find the API server.
	// The first becomes the endpoint of the Service kubernetes.
	Addresses []netip.Addr
	// Port is the API server's. EtcdPort and the one after it are etcd's.
	Port, EtcdPort uint16
}

// auditPolicy logs every write, once it is answered, without bodies.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

// controllers are those that lab clusters need. The others watch kinds that do
// not occur here, or act on nodes and volumes.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"cronjob-controller",
	"daemonset-controller",
	"deployment-controller",
	"endpoints-controller",
	"endpointslice-controller",
	"endpointslice-mirroring-controller",
	"garbage-collector-controller",
	"job-controller",
	"namespace-controller",
	"pod-garbage-collector-controller",
	"replicaset-controller",
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"statefulset-controller",
}

// file is a path in the control plane's directory.
func (c Config) file(name string) string { return filepath.Join(c.Dir, name) }

// url is the API server's, from this namespace.
func (c Config) url() string { return fmt.Sprintf("https://127.0.0.1:%d", c.Port) }

// etcdURL is etcd's for clients (0) or peers (1).
func (c Config) etcdURL(offset uint16) string {
	return fmt.Sprintf("http://127.0.0.1:%d", c.EtcdPort+offset)
}

func (c Config) etcdArgv() []string {
	return []string{
		c.Tools.Path("etcd"),
		"--data-dir=" + c.file("etcd"),
		"--listen-client-urls=" + c.etcdURL(0),
		"--advertise-client-urls=" + c.etcdURL(0),
		"--listen-peer-urls=" + c.etcdURL(1),
		"--initial-advertise-peer-urls=" + c.etcdURL(1),
		"--initial-cluster=default=" + c.etcdURL(1),
		// Nothing here outlives the machine.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func (c Config) apiServerArgv() []string {
	cidrs := make([]string, len(c.ServiceCIDRs))
	for i, p := range c.ServiceCIDRs {
		cidrs[i] = p.String()
	}
	return []string{
		c.Tools.Path("kube-apiserver"),
		"--etcd-servers=" + c.etcdURL(0),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.Port),
		"--advertise-address=" + c.Addresses[0].String(),
		"--service-cluster-ip-range=" + strings.Join(cidrs, ","),
		"--cert-dir=" + c.Dir,
		"--tls-cert-file=" + c.file("server.crt"),
		"--tls-private-key-file=" + c.file("server.key"),
		"--client-ca-file=" + c.file("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.file("accounts.key"),
		"--service-account-signing-key-file=" + c.file("accounts.key"),
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--enable-priority-and-fairness=false",
		"--profiling=false",
		"--audit-policy-file=" + c.file("audit-policy.yaml"),
		"--audit-log-path=" + c.auditLog(),
	}
}

func (c Config) auditLog() string { return c.file("audit.log") }

func (c Config) controllerManagerArgv() []string {
	return []string{
		c.Tools.Path("kube-controller-manager"),
		"--kubeconfig=" + c.file("admin.kubeconfig"),
		"--controllers=" + strings.Join(controllers, ","),
		"--leader-elect=false",
		"--service-account-private-key-file=" + c.file("accounts.key"),
		"--root-ca-file=" + c.file("ca.crt"),
		"--secure-port=0", // it serves nothing that is asked for here
		// The defaults (20 and 30) would make a lab wait for its own client.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--profiling=false",
	}
}

// writeFiles puts certificates, keys and the audit policy where the flags look
// for them.
func (c Config) writeFiles(ca *authority) error {
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	addresses := []net.IP{net.IPv4(127, 0, 0, 1)}
	for _, a := range c.Addresses {
		addresses = append(addresses, a.AsSlice())
	}
	for _, p := range c.ServiceCIDRs { // the Service kubernetes has the first address
		addresses = append(addresses, p.Masked().Addr().Next().AsSlice())
	}
	server, err := ca.server(names, addresses)
	if err != nil {
		return err
	}
	accounts, err := newKey()
	if err != nil {
		return err
	}
	accountsKey, err := encodeKey(accounts)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"ca.crt":            ca.pem,
		"server.crt":        server.cert,
		"server.key":        server.key,
		"accounts.key":      accountsKey,
		"audit-policy.yaml": []byte(auditPolicy),
	} {
		if err := os.WriteFile(c.file(name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
