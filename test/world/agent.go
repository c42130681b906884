// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/lab/process"
)

// The identity of the agent, as deploy/agent.yaml makes it.
const (
	agentNamespace = "fairlead-system"
	agentAccount   = "fairlead-agent"
)

// Agent is the agent of one node.
type Agent struct {
	node    *lab.Node
	process *process.Process
	argv    []string
	log     string
	state   string
}

// StartAgents starts the agent of every node that has none.
func (w *World) StartAgents(ctx context.Context) error {
	for _, c := range w.Lab.Clusters() {
		for _, n := range c.Nodes() {
			if err := w.startAgent(ctx, c, n); err != nil {
				return fmt.Errorf("start the agent of %s: %w", n.FullName(), err)
			}
		}
	}
	return nil
}

// Agent is the agent of a node, nil before StartAgents.
func (w *World) Agent(node string) *Agent { return w.agents[node] }

// startAgent starts the agent of one node with a token that is bound to the
// node through a pod, as a DaemonSet's is.
func (w *World) startAgent(ctx context.Context, c *lab.Cluster, n *lab.Node) error {
	if w.agents[n.Name] != nil {
		return nil
	}
	dir := filepath.Join(w.dir, n.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	config, err := w.NodeIdentity(ctx, c, n)
	if err != nil {
		return err
	}
	if err := writeKubeconfig(kubeconfig, c.Name, config); err != nil {
		return err
	}
	a := &Agent{node: n, log: filepath.Join(dir, "agent.log"), state: filepath.Join(dir, "state")}
	a.argv = []string{filepath.Join(w.bin, "fairlead-agent"), "--node", n.Name, "--kubeconfig", kubeconfig, "--state-dir", a.state}
	w.agents[n.Name] = a
	return a.Start()
}

// Start starts the agent again after Kill.
func (a *Agent) Start() (err error) {
	a.process, err = process.Start(process.Spec{Argv: a.argv, NS: a.node.NS, Log: a.log})
	return err
}

// Kill kills the agent as kill -9 does and waits for its end. What it made
// stays.
func (a *Agent) Kill() { a.process.Kill() }

// Terminate asks the agent to end, as SIGTERM does, and waits for its end.
func (a *Agent) Terminate(ctx context.Context) {
	const grace = 10 * time.Second
	a.process.Stop(ctx, grace)
}

// Pid is the agent's process id.
func (a *Agent) Pid() int { return a.process.Pid() }

// StateDir is the agent's.
func (a *Agent) StateDir() string { return a.state }

// Replace makes another file of the same content the agent's program, as an
// upgrade does. A running agent goes on with the old one.
func (a *Agent) Replace() error {
	text, err := os.ReadFile(a.argv[0])
	if err != nil {
		return err
	}
	own := filepath.Join(filepath.Dir(a.log), "fairlead-agent")
	if err := os.WriteFile(own+".new", text, 0o755); err != nil {
		return err
	}
	a.argv[0] = own
	return os.Rename(own+".new", own)
}

// CleanUp runs the agent's --cleanup and returns what it said.
func (a *Agent) CleanUp(ctx context.Context) (string, error) {
	out, err := a.node.NS.Command(ctx, a.argv[0], "--cleanup", "--state-dir", a.state).CombinedOutput()
	return string(out), err
}

// remove ends the agent and what outlives it.
func (a *Agent) remove() error {
	a.Kill()
	if out, err := a.CleanUp(context.Background()); err != nil {
		return fmt.Errorf("clean up after the agent of %s: %w: %s", a.node.FullName(), err, out)
	}
	return nil
}

// Log is what the agent wrote so far.
func (a *Agent) Log() string {
	text, err := os.ReadFile(a.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// NodeIdentity is the access of the agent on a node: a service account token
// bound to a pod on that node (KEP-4193 puts the node's name in it).
func (w *World) NodeIdentity(ctx context.Context, c *lab.Cluster, n *lab.Node) (*rest.Config, error) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "agent-" + n.Name, Namespace: agentNamespace},
		Spec: corev1.PodSpec{NodeName: n.Name, ServiceAccountName: agentAccount, HostNetwork: true,
			// The agent itself is started by hand, to be killed by hand; this
			// stands for its pod.
			Containers: []corev1.Container{{Name: "agent", Image: "none", Command: []string{"sleep", "infinity"}}}},
	}
	made, err := c.Client().CoreV1().Pods(agentNamespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: made.Name, UID: made.UID},
	}}
	answer, err := c.Client().CoreV1().ServiceAccounts(agentNamespace).CreateToken(ctx, agentAccount, request, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(c.RESTConfig())
	config.BearerToken = answer.Status.Token
	return config, nil
}

// writeKubeconfig writes an access with a token.
func writeKubeconfig(path, cluster string, config *rest.Config) error {
	k := clientcmdapi.NewConfig()
	k.Clusters[cluster] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	k.AuthInfos[cluster] = &clientcmdapi.AuthInfo{Token: config.BearerToken}
	k.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: cluster}
	k.CurrentContext = cluster
	return clientcmd.WriteToFile(*k, path)
}

// RestartAgents starts the agents that were killed again.
func (w *World) RestartAgents() error {
	for _, a := range w.agents {
		select {
		case <-a.process.Done():
			if err := a.Start(); err != nil {
				return err
			}
		default:
		}
	}
	return nil
}
