// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// fill takes what the policy says and, where it is silent, the set's defaults:
// block by block, so that nothing is merged inside one.
func (p *Policy) fill(d v1alpha1.Defaults) {
	failover := p.spec.Failover
	if failover == nil {
		failover = d.Failover
	}
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

// plain gives a rule the set's defaults for requests, where there are requests.
func (p *Policy) plain(r Rule) Rule {
	requests := len(p.spec.Service.Ports) == 0
	for _, port := range p.spec.Service.Ports {
		requests = requests || port.Protocol == v1alpha1.ProtocolHTTP || port.Protocol == v1alpha1.ProtocolGRPC
	}
	if requests && !r.Answers() {
		r.Timeout = cmp.Or(r.Timeout, p.Set.Defaults.Timeout)
		r.Retries = cmp.Or(r.Retries, p.Set.Defaults.Retries)
	}
	return r
}
