// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// facts are what a container may ask about its pod.
type facts struct {
	pod     *corev1.Pod
	cluster string
	podIP   netip.Addr
	hostIP  netip.Addr
	// path is searched for programs before the machine's own PATH.
	path string
}

// environment is the whole environment of a container, later entries winning.
func (f facts) environment(c corev1.Container) ([]string, error) {
	if len(c.EnvFrom) > 0 {
		return nil, fmt.Errorf("container %s: envFrom is not supported by the lab", c.Name)
	}
	env := []string{
		"PATH=" + f.path + ":" + os.Getenv("PATH"),
		"HOME=/",
		"HOSTNAME=" + f.pod.Name,
		"POD_NAME=" + f.pod.Name,
		"POD_NAMESPACE=" + f.pod.Namespace,
		"POD_IP=" + f.podIP.String(),
		"NODE_NAME=" + f.pod.Spec.NodeName,
		"CLUSTER_NAME=" + f.cluster,
	}
	for _, e := range c.Env {
		value, err := f.value(e, env)
		if err != nil {
			return nil, fmt.Errorf("container %s: env %s: %w", c.Name, e.Name, err)
		}
		env = append(env, e.Name+"="+value)
	}
	return env, nil
}

// value is one variable's.
func (f facts) value(e corev1.EnvVar, before []string) (string, error) {
	if e.ValueFrom == nil {
		return expand(e.Value, before), nil
	}
	if e.ValueFrom.FieldRef == nil {
		return "", fmt.Errorf("only values and fieldRefs are supported by the lab")
	}
	field := e.ValueFrom.FieldRef.FieldPath
	values := map[string]string{
		"metadata.name":           f.pod.Name,
		"metadata.namespace":      f.pod.Namespace,
		"metadata.uid":            string(f.pod.UID),
		"spec.nodeName":           f.pod.Spec.NodeName,
		"spec.serviceAccountName": f.pod.Spec.ServiceAccountName,
		"status.podIP":            f.podIP.String(),
		"status.podIPs":           f.podIP.String(),
		"status.hostIP":           f.hostIP.String(),
		"status.hostIPs":          f.hostIP.String(),
	}
	if v, ok := values[field]; ok {
		return v, nil
	}
	for prefix, m := range map[string]map[string]string{"metadata.labels": f.pod.Labels, "metadata.annotations": f.pod.Annotations} {
		if key, ok := strings.CutPrefix(field, prefix+"['"); ok {
			return m[strings.TrimSuffix(key, "']")], nil
		}
	}
	return "", fmt.Errorf("field %s is not supported by the lab", field)
}

// reference is $(NAME), or $$(NAME), which stands for itself with one dollar.
var reference = regexp.MustCompile(`\$?\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)`)

// expand replaces references to variables as Kubernetes does: an unknown one
// stays as it is.
func expand(s string, env []string) string {
	return reference.ReplaceAllStringFunc(s, func(ref string) string {
		if strings.HasPrefix(ref, "$$") {
			return ref[1:]
		}
		name := ref[len("$(") : len(ref)-len(")")]
		for i := len(env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(env[i], name+"="); ok {
				return v
			}
		}
		return ref
	})
}

// argv is a container's program and arguments.
func argv(c corev1.Container, env []string) ([]string, error) {
	if len(c.Command) == 0 {
		return nil, fmt.Errorf("container %s: no command (the lab has no images)", c.Name)
	}
	var out []string
	for _, a := range append(append([]string{}, c.Command...), c.Args...) {
		out = append(out, expand(a, env))
	}
	return out, nil
}
