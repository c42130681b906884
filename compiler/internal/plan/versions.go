// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// old notes what an older version of the consumer's provider makes of what the
// policy needs.
func (b *builder) old(out *Service, at consumer, wanted []need) {
	provider := v1alpha1.Provider(at.cluster.EastWest)
	version := versionOf(at.cluster, provider)
	said := map[Feature]bool{}
	for _, n := range wanted {
		support := rowOf(n.feature).Of(provider)
		if said[n.feature] || support.Since == "" || !older(version, support.Since) {
			continue
		}
		said[n.feature] = true
		b.pending(at.cluster, out.Fragment, "%s %s in %s %s before %s %s", providerNames[provider], version, at.cluster.Name,
			support.Before, providerNames[provider], support.Since)
	}
}

// providerNames are the names of providers that have versions.
var providerNames = map[v1alpha1.Provider]string{
	v1alpha1.ProviderIstio: "Istio", v1alpha1.ProviderCilium: "Cilium", v1alpha1.ProviderEnvoyGateway: "Envoy Gateway",
}

// versionOf returns the version of a provider in a cluster; empty where it is
// not known, or is Fairlead's own.
func versionOf(c *fleet.Cluster, p v1alpha1.Provider) string {
	switch p {
	case v1alpha1.ProviderIstio:
		if home := c.Mesh.ControlPlane; home != nil {
			return home.Facts.Istio
		}
	case v1alpha1.ProviderCilium:
		return c.Facts.Cilium
	case v1alpha1.ProviderEnvoyGateway:
		return c.Facts.EnvoyGateway
	}
	return ""
}

func rowOf(f Feature) Row {
	for _, r := range Matrix() {
		if r.Feature == f {
			return r
		}
	}
	return Row{}
}

// older tells whether a version is before another, by major and minor; false
// for what is no version.
func older(version, than string) bool {
	a, ok := minor(version)
	b, _ := minor(than)
	return ok && (a[0] < b[0] || a[0] == b[0] && a[1] < b[1])
}

func minor(version string) ([2]int, bool) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return [2]int{}, false
	}
	x, errX := strconv.Atoi(parts[0])
	y, errY := strconv.Atoi(parts[1])
	return [2]int{x, y}, errX == nil && errY == nil
}
