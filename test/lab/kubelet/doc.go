// SPDX-License-Identifier: Apache-2.0

// Package kubelet is the lab's stand-in for scheduler, kubelet, container
// runtime and CNI of one cluster: it registers nodes, binds pods to them, and
// runs each container's command as a process in the pod's own network
// namespace, so that Deployments, StatefulSets, DaemonSets, Jobs, Services and
// EndpointSlices behave as they do on real nodes.
//
// Words: a node is a network namespace; a pod's worker is the goroutine that
// looks after it from binding to deletion; a container is one process that is
// started again when it ends, as restartPolicy says.
//
// Honoured of a pod: nodeName, nodeSelector, node affinity by name (which is
// what DaemonSets use), hostNetwork, restartPolicy, terminationGracePeriod,
// command, args, workingDir, env with values and fieldRefs, readiness probes by
// exec, TCP and HTTP. A container also gets POD_NAME, POD_NAMESPACE, POD_IP,
// NODE_NAME and CLUSTER_NAME, and sees the machine's files: there are no
// images and no volumes. A pod that asks for what cannot be given (init
// containers, references to ConfigMaps and Secrets, no command) stays Pending
// and its status says why.
//
// Unlike a real node, a container is probed quickly until it is ready for the
// first time, and restarts back off to 5 seconds, not 5 minutes.
//
// Out of scope: liveness and startup probes, taints, resources, volumes,
// host ports, IPv6.
package kubelet
