// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fairlead/fairlead/test/netns"
)

// eager is the interval between probes until the first success.
const eager = 100 * time.Millisecond

// prober probes one container.
type prober struct {
	// node is where TCP and HTTP probes come from, pod where programs run.
	node, pod *netns.NS
	ip        netip.Addr
	env       []string
	spec      corev1.Container
}

// watch calls report with the container's readiness whenever it changes, until
// ctx ends. Without a probe a container is ready at once.
func (p prober) watch(ctx context.Context, report func(ready bool)) {
	probe := p.spec.ReadinessProbe
	if probe == nil {
		report(true)
		return
	}
	timer := time.NewTimer(time.Duration(probe.InitialDelaySeconds) * time.Second)
	defer timer.Stop()
	ready, everReady := false, false
	var passed, failed int32
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if p.once(ctx, probe) == nil {
			passed, failed = passed+1, 0
		} else {
			passed, failed = 0, failed+1
		}
		switch {
		case !ready && passed >= probe.SuccessThreshold:
			ready, everReady = true, true
			report(true)
		case ready && failed >= probe.FailureThreshold:
			ready = false
			report(false)
		}
		period := time.Duration(probe.PeriodSeconds) * time.Second
		if !everReady {
			period = eager
		}
		timer.Reset(period)
	}
}

// once probes once. nil is success.
func (p prober) once(ctx context.Context, probe *corev1.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(probe.TimeoutSeconds)*time.Second)
	defer cancel()
	switch {
	case probe.Exec != nil:
		cmd := p.pod.Command(ctx, probe.Exec.Command...)
		cmd.Env = p.env
		return cmd.Run()
	case probe.TCPSocket != nil:
		address, err := p.address(probe.TCPSocket.Port)
		if err != nil {
			return err
		}
		c, err := p.node.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	case probe.HTTPGet != nil:
		return p.get(ctx, probe.HTTPGet)
	}
	return fmt.Errorf("a probe of this kind is not supported by the lab")
}

// get is an HTTP probe.
func (p prober) get(ctx context.Context, action *corev1.HTTPGetAction) error {
	address, err := p.address(action.Port)
	if err != nil {
		return err
	}
	url := strings.ToLower(string(action.Scheme)) + "://" + address + action.Path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: p.node.DialContext, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("probe: %s", resp.Status)
	}
	return nil
}

// address is the container's for a port by number or name.
func (p prober) address(port intstr.IntOrString) (string, error) {
	if port.Type == intstr.Int {
		return net.JoinHostPort(p.ip.String(), strconv.Itoa(port.IntValue())), nil
	}
	for _, cp := range p.spec.Ports {
		if cp.Name == port.StrVal {
			return net.JoinHostPort(p.ip.String(), strconv.Itoa(int(cp.ContainerPort))), nil
		}
	}
	return "", fmt.Errorf("container %s has no port %s", p.spec.Name, port.StrVal)
}
