// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Request is what a caller sends.
type Request struct {
	Method  string
	URL     string
	Headers map[string]string
}

// method is GET where none is given.
func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// part is a share of requests that goes to one cluster of Envoy's.
type part struct {
	cluster string
	share   float64
}

// verdict is what a route does: it sends parts somewhere, or answers.
type verdict struct {
	parts  []part
	status int
	route  *Route
	// from is the cluster of the caller.
	from string
}

// route finds what a proxy does with a request, by the route configuration of
// that name: sidecars call it after the port.
func (c Config) route(named string, r Request) (verdict, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return verdict{}, err
	}
	for _, config := range c.Routes {
		if name, _, _ := strings.Cut(config.Name, "|"); name != named {
			continue
		}
		for _, host := range config.Hosts {
			if !slices.ContainsFunc([]string{u.Hostname(), u.Host, u.Hostname() + ":*"}, func(d string) bool { return slices.Contains(host.Domains, d) }) {
				continue
			}
			for _, candidate := range host.Routes {
				if candidate.Match.matches(r, u) {
					return candidate.verdict(), nil
				}
			}
			return verdict{status: http.StatusNotFound}, nil
		}
	}
	return verdict{status: http.StatusNotFound}, nil
}

// sniffed finds what a sidecar does with a request to a port that its Service
// declares as nothing: such a port has a route configuration of its own. False
// where it has none.
func (c Config) sniffed(named string, r Request) (verdict, bool) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return verdict{}, false
	}
	for _, config := range c.Routes {
		if config.Name != named || len(config.Hosts) == 0 {
			continue
		}
		for _, candidate := range config.Hosts[0].Routes {
			if candidate.Match.matches(r, u) {
				return candidate.verdict(), true
			}
		}
		return verdict{status: http.StatusNotFound}, true
	}
	return verdict{}, false
}

func (r Route) verdict() verdict {
	switch {
	case r.DirectResponse != nil:
		return verdict{status: r.DirectResponse.Status, route: &r}
	case r.Redirect != nil:
		return verdict{status: redirectCodes[r.Redirect.Code], route: &r}
	case r.Route == nil:
		return verdict{status: http.StatusNotFound}
	}
	return verdict{parts: parts(r.Route.Cluster, r.Route.WeightedClusters), route: &r}
}

// parts are the shares of one cluster, or of several by weight.
func parts(one string, several *WeightedClusters) []part {
	if several == nil {
		return []part{{one, 1}}
	}
	total := 0
	for _, c := range several.Clusters {
		total += c.Weight
	}
	var out []part
	for _, c := range several.Clusters {
		out = append(out, part{c.Name, float64(c.Weight) / float64(total)})
	}
	return out
}

// connection finds what a proxy does with a connection to an address.
func (c Config) connection(address string, port int) (verdict, error) {
	for _, l := range c.Listeners {
		if l.Direction != "OUTBOUND" || l.Address.Socket.Port != port || l.Address.Socket.Address != address {
			continue
		}
		chains := l.Chains
		if l.Default != nil {
			chains = append(slices.Clone(chains), *l.Default)
		}
		for _, chain := range chains {
			for _, f := range chain.Filters {
				if f.Config.Cluster != "" || f.Config.WeightedClusters != nil {
					return verdict{parts: parts(f.Config.Cluster, f.Config.WeightedClusters)}, nil
				}
			}
		}
	}
	return verdict{}, fmt.Errorf("no listener for %s port %d", address, port)
}

func (m RouteMatch) matches(r Request, u *url.URL) bool {
	switch {
	case m.Path != nil && *m.Path != u.Path,
		m.Prefix != nil && !strings.HasPrefix(u.Path, *m.Prefix),
		m.PathSeparated != nil && u.Path != *m.PathSeparated && !strings.HasPrefix(u.Path, *m.PathSeparated+"/"),
		m.Regex != nil && !whole(m.Regex.Regex, u.Path):
		return false
	}
	for _, h := range m.Headers {
		value, there := r.header(h.Name, u)
		ok := there
		if h.Text != nil {
			ok = there && h.Text.matches(value)
		} else if h.Present != nil {
			ok = there == *h.Present
		}
		if ok == h.Invert {
			return false
		}
	}
	for _, q := range m.Query {
		values, there := u.Query()[q.Name]
		if !there || q.Text != nil && !q.Text.matches(values[0]) {
			return false
		}
	}
	return true
}

// header finds a header, or one of the names that stand for parts of the
// request.
func (r Request) header(name string, u *url.URL) (string, bool) {
	switch name {
	case ":method":
		return r.method(), true
	case ":authority":
		return u.Host, true
	}
	for k, v := range r.Headers {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

func (t Text) matches(s string) bool {
	switch {
	case t.Exact != nil:
		return s == *t.Exact
	case t.Prefix != nil:
		return strings.HasPrefix(s, *t.Prefix)
	case t.Suffix != nil:
		return strings.HasSuffix(s, *t.Suffix)
	case t.Regex != nil:
		return whole(t.Regex.Regex, s)
	}
	return true
}

// whole tells whether an expression matches all of a text.
func whole(expression, text string) bool {
	re, err := regexp.Compile("^(?:" + expression + ")$")
	return err == nil && re.MatchString(text)
}
