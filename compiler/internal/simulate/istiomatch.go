// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"

	"istio.io/api/networking/v1alpha3"
)

// streamMatches tells whether a connection meets a condition.
func (c *sidecar) streamMatches(m *v1alpha3.L4MatchAttributes) bool {
	return (m.GetPort() == 0 || int32(m.GetPort()) == c.request.Port) && len(m.GetDestinationSubnets()) == 0 && c.fromThere(m.GetSourceLabels(), m.GetSourceNamespace(), m.GetGateways())
}

// serverMatches tells whether a connection that asks for the name that is called
// meets a condition.
func (c *sidecar) serverMatches(m *v1alpha3.TLSMatchAttributes) bool {
	named := slices.ContainsFunc(m.GetSniHosts(), func(h string) bool { return covers(h, c.host) })
	return named && (m.GetPort() == 0 || int32(m.GetPort()) == c.request.Port) && len(m.GetDestinationSubnets()) == 0 &&
		c.fromThere(m.GetSourceLabels(), m.GetSourceNamespace(), m.GetGateways())
}

// fromThere tells whether the caller is meant.
func (c *sidecar) fromThere(labels map[string]string, namespace string, gateways []string) bool {
	return hasAll(c.caller(), labels) && (namespace == "" || namespace == c.request.From.Namespace) && (len(gateways) == 0 || c.at("", gateways))
}

// matches tells whether a request meets all conditions of a match, as Envoy
// compares: the prefix of a path is one of characters, names of headers have no
// case.
func (c *sidecar) matches(m *v1alpha3.HTTPMatchRequest) bool {
	r := c.request
	if m.GetPort() != 0 && int32(m.GetPort()) != r.Port || !c.fromThere(m.GetSourceLabels(), m.GetSourceNamespace(), m.GetGateways()) {
		return false
	}
	path := r.Path
	if m.GetIgnoreUriCase() {
		path = strings.ToLower(path)
	}
	plain := text(m.GetUri(), path) && text(m.GetMethod(), r.Method) && text(m.GetAuthority(), r.Host) && text(m.GetScheme(), r.Scheme)
	for name, want := range m.GetHeaders() {
		got, there := r.Headers[strings.ToLower(name)]
		plain = plain && there && text(want, got)
	}
	for name, unwanted := range m.GetWithoutHeaders() {
		got, there := r.Headers[strings.ToLower(name)]
		plain = plain && !(there && text(unwanted, got))
	}
	for name, want := range m.GetQueryParams() {
		got, there := r.Query[name]
		plain = plain && there && text(want, got)
	}
	return plain
}

// text compares; no condition is met by everything. A regular expression must
// match the whole text (RE2).
func text(m *v1alpha3.StringMatch, got string) bool {
	if m == nil {
		return true
	}
	switch want := m.MatchType.(type) {
	case *v1alpha3.StringMatch_Exact:
		return got == want.Exact
	case *v1alpha3.StringMatch_Prefix:
		return strings.HasPrefix(got, want.Prefix)
	case *v1alpha3.StringMatch_Regex:
		return whole(want.Regex, got)
	}
	return true
}
