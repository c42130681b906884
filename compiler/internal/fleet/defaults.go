// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// fill takes what the policy says and, where it is silent, the set's defaults:
// block by block, so that nothing is merged inside one.
func (p *Policy) fill(d *v1alpha1.Defaults) {
	p.Defaulted = Defaulted{Failover: p.spec.Failover == nil && d.Failover != nil,
		Resilience:    p.spec.Resilience == nil && d.Resilience != nil,
		LoadBalancing: p.spec.LoadBalancing == nil && d.LoadBalancing != nil}
	failover := cmp.Or(p.spec.Failover, d.Failover)
	p.MinHealthy = minHealthy(failover)
	if failover != nil {
		p.FailbackDelay = failover.FailbackDelay
	}
	if r := cmp.Or(p.spec.Resilience, d.Resilience); r != nil {
		p.Resilience = *r
	}
	if l := cmp.Or(p.spec.LoadBalancing, d.LoadBalancing); l != nil {
		p.LoadBalancing = *l
	}
	p.TLS = v1alpha1.TLSAuto
	if p.spec.TLS != nil {
		p.TLS = cmp.Or(p.spec.TLS.Mode, p.TLS)
	}
	p.Names = Names{Cluster: true, ClusterSet: true}
	if len(p.spec.Service.Names) > 0 {
		p.Names = Names{Asked: true}
		for _, n := range p.spec.Service.Names {
			p.Names.Cluster = p.Names.Cluster || n == v1alpha1.NameCluster
			p.Names.ClusterSet = p.Names.ClusterSet || n == v1alpha1.NameClusterSet
		}
	}
}

// frontends resolves where requests come in.
func (p *Policy) frontends() {
	p.Mesh = len(p.spec.Frontends) == 0
	for i, f := range p.spec.Frontends {
		if f.Gateway == nil {
			p.Mesh = true
			continue
		}
		p.Gateways = append(p.Gateways, Frontend{Namespace: cmp.Or(f.Gateway.Namespace, p.Namespace), Name: f.Gateway.Name,
			Listener: f.Gateway.Listener, Hostnames: f.Hostnames, Path: fmt.Sprintf("spec.frontends[%d]", i)})
	}
}

// defaults gives rules the set's defaults for requests, where there are
// requests: a port that carries them, or none that is known yet.
func (s *Service) defaults(p *Policy) {
	carries := len(s.Ports) == 0 || slices.ContainsFunc(s.Ports, Port.L7)
	d := &p.Set.Defaults
	for i := range p.Rules {
		r := &p.Rules[i]
		if !carries || r.Answers() {
			continue
		}
		if r.DefaultTimeout = r.Timeout == "" && d.Timeout != ""; r.DefaultTimeout {
			r.Timeout = d.Timeout
		}
		if r.DefaultRetries = r.Retries == nil && d.Retries != nil; r.DefaultRetries {
			r.Retries = d.Retries
		}
	}
}
