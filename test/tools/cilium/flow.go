// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"

	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	"github.com/cilium/cilium/pkg/u8proto"
)

// Flow is a connection that one endpoint opens to another.
type Flow struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// From is a pod's labels, or the reserved entity of that name.
	From   map[string]string `json:"from,omitempty"`
	Entity string            `json:"entity,omitempty"`
	// To is the labels of the pod that is called.
	To       map[string]string `json:"to"`
	Port     uint16            `json:"port"`
	Protocol string            `json:"protocol"`
	// Named are the named TCP ports of the pod that is called.
	Named map[string]uint16 `json:"named,omitempty"`
}

// Passage says whether a flow is let in.
type Passage struct {
	Flow    string `json:"flow"`
	Allowed bool   `json:"allowed"`
}

// Identities of the two ends: any two numbers that the agent keeps for pods.
const (
	callerID identity.NumericIdentity = 1001
	calledID identity.NumericIdentity = 1002
)

// pass asks the agent's policy engine.
func (f Flow) pass(rules api.Rules) (Passage, error) {
	from := identity.NewIdentity(callerID, podLabels(f.From))
	if f.Entity != "" {
		if from = identity.LookupReservedIdentity(identity.GetReservedID(f.Entity)); from == nil {
			return Passage{}, fmt.Errorf("there is no entity %s", f.Entity)
		}
	}
	to := identity.NewIdentity(calledID, podLabels(f.To))
	protocol, err := u8proto.ParseProtocol(f.Protocol)
	if err != nil {
		return Passage{}, err
	}
	log := slog.New(slog.DiscardHandler)
	manager := identitymanager.NewIDManager(log)
	known := identity.IdentityMap{from.ID: from.LabelArray, to.ID: to.LabelArray}
	repository := policy.NewPolicyRepository(log, known, nil, nil, manager, testpolicy.NewPolicyMetricsNoop())
	repository.GetSelectorCache().SetLocalIdentityNotifier(testidentity.NewDummyIdentityNotifier())
	repository.MustAddPolicyEntries(utils.RulesToPolicyEntries(rules))
	result, _, _, err := policy.LookupFlow(log, repository, manager,
		types.Flow{From: from, To: to, Proto: protocol, Dport: f.Port, NamedPortsTCP: f.Named})
	return Passage{Flow: f.Name, Allowed: result.Ingress == types.DecisionAllowed}, err
}

// podLabels are labels as the agent has them of a pod.
func podLabels(of map[string]string) labels.Labels {
	all := labels.Labels{}
	for name, value := range of {
		all[name] = labels.NewLabel(name, value, labels.LabelSourceK8s)
	}
	return all
}
