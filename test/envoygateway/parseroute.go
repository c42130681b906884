// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"strings"
)

type rawRoutes struct {
	Name         string `json:"name"`
	VirtualHosts []struct {
		Domains []string   `json:"domains"`
		Routes  []rawRoute `json:"routes"`
	} `json:"virtualHosts"`
}

type rawRoute struct {
	Name                    string                    `json:"name"`
	Match                   rawMatch                  `json:"match"`
	Route                   rawAction                 `json:"route"`
	Redirect                map[string]any            `json:"redirect"`
	DirectResponse          *rawResponse              `json:"directResponse"`
	RequestHeadersToAdd     []rawHeader               `json:"requestHeadersToAdd"`
	RequestHeadersToRemove  []string                  `json:"requestHeadersToRemove"`
	ResponseHeadersToAdd    []rawHeader               `json:"responseHeadersToAdd"`
	ResponseHeadersToRemove []string                  `json:"responseHeadersToRemove"`
	TypedPerFilterConfig    map[string]map[string]any `json:"typedPerFilterConfig"`
}

type rawResponse struct {
	Status int `json:"status"`
	Body   struct {
		InlineString string `json:"inlineString"`
	} `json:"body"`
	// BodyFormat is a text in which Envoy replaces what stands between per cent
	// signs.
	BodyFormat struct {
		TextFormatSource struct {
			InlineBytes []byte `json:"inlineBytes"`
		} `json:"textFormatSource"`
	} `json:"bodyFormat"`
}

// text is what the response says.
func (r rawResponse) text() string {
	return cmp.Or(r.Body.InlineString, literal(string(r.BodyFormat.TextFormatSource.InlineBytes)))
}

type rawHeader struct {
	Header struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"header"`
	AppendAction string `json:"appendAction"`
}

type rawText struct {
	Exact     string `json:"exact"`
	Prefix    string `json:"prefix"`
	SafeRegex *struct {
		Regex string `json:"regex"`
	} `json:"safeRegex"`
}

type rawCondition struct {
	Name         string   `json:"name"`
	StringMatch  *rawText `json:"stringMatch"`
	PresentMatch *bool    `json:"presentMatch"`
	InvertMatch  bool     `json:"invertMatch"`
}

// text is the condition in one word, as the documentation of Match has it.
func (c rawCondition) text() string {
	out := c.Name
	if c.InvertMatch {
		out = "!" + out
	}
	switch m := c.StringMatch; {
	case m == nil:
		if c.PresentMatch != nil && !*c.PresentMatch {
			out = "!" + out
		}
		return out
	case m.SafeRegex != nil:
		return out + "~=" + m.SafeRegex.Regex
	case m.Prefix != "":
		return out + "^=" + m.Prefix
	default:
		return out + "=" + m.Exact
	}
}

type rawMatch struct {
	Path                string `json:"path"`
	Prefix              string `json:"prefix"`
	PathSeparatedPrefix string `json:"pathSeparatedPrefix"`
	SafeRegex           *struct {
		Regex string `json:"regex"`
	} `json:"safeRegex"`
	Headers         []rawCondition `json:"headers"`
	QueryParameters []rawCondition `json:"queryParameters"`
	GRPC            map[string]any `json:"grpc"`
}

func (m rawMatch) plain() Match {
	out := Match{Path: m.Path, Prefix: m.Prefix, ElementPrefix: m.PathSeparatedPrefix, GRPC: m.GRPC != nil}
	if m.SafeRegex != nil {
		out.Regex = m.SafeRegex.Regex
	}
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, h.text())
	}
	for _, q := range m.QueryParameters {
		out.Query = append(out.Query, q.text())
	}
	return out
}

type rawAction struct {
	Cluster               string      `json:"cluster"`
	WeightedClusters      *rawWeights `json:"weightedClusters"`
	Timeout               string      `json:"timeout"`
	RetryPolicy           *rawRetry   `json:"retryPolicy"`
	RequestMirrorPolicies []struct {
		Cluster         string `json:"cluster"`
		RuntimeFraction *struct {
			DefaultValue struct {
				Numerator   uint32 `json:"numerator"`
				Denominator string `json:"denominator"`
			} `json:"defaultValue"`
		} `json:"runtimeFraction"`
	} `json:"requestMirrorPolicies"`
	HostRewriteLiteral string `json:"hostRewriteLiteral"`
	PrefixRewrite      string `json:"prefixRewrite"`
	RegexRewrite       *struct {
		Pattern struct {
			Regex string `json:"regex"`
		} `json:"pattern"`
		Substitution string `json:"substitution"`
	} `json:"regexRewrite"`
	HashPolicy []struct {
		Header *struct {
			HeaderName string `json:"headerName"`
		} `json:"header"`
		Cookie *struct {
			Name string `json:"name"`
		} `json:"cookie"`
	} `json:"hashPolicy"`
}

type rawRetry struct {
	RetryOn              string   `json:"retryOn"`
	NumRetries           uint32   `json:"numRetries"`
	PerTryTimeout        string   `json:"perTryTimeout"`
	RetriableStatusCodes []uint32 `json:"retriableStatusCodes"`
}

func (r rawRoute) plain() Route {
	out := Route{Name: r.Name, Match: r.Match.plain(), Timeout: r.Route.Timeout, HostRewrite: r.Route.HostRewriteLiteral,
		PathRewrite: r.Route.PrefixRewrite, Filters: r.TypedPerFilterConfig,
		RequestHeaders:  changes(r.RequestHeadersToAdd, r.RequestHeadersToRemove),
		ResponseHeaders: changes(r.ResponseHeadersToAdd, r.ResponseHeadersToRemove)}
	if r.DirectResponse != nil {
		out.Status, out.Body = r.DirectResponse.Status, r.DirectResponse.text()
		return out
	}
	if r.Redirect != nil {
		out.Status, out.Location = redirectStatus(r.Redirect), r.Redirect
		return out
	}
	out.Targets = targets(r.Route.Cluster, r.Route.WeightedClusters)
	if r.Route.RegexRewrite != nil {
		out.PathRewrite, out.PathPattern = r.Route.RegexRewrite.Substitution, r.Route.RegexRewrite.Pattern.Regex
	}
	if p := r.Route.RetryPolicy; p != nil {
		out.Retry = &Retry{p.NumRetries, strings.Split(p.RetryOn, ","), p.RetriableStatusCodes, p.PerTryTimeout}
	}
	for _, h := range r.Route.HashPolicy {
		switch {
		case h.Header != nil:
			out.HashPolicies = append(out.HashPolicies, h.Header.HeaderName)
		case h.Cookie != nil:
			out.HashPolicies = append(out.HashPolicies, h.Cookie.Name)
		default:
			out.HashPolicies = append(out.HashPolicies, "source")
		}
	}
	for _, m := range r.Route.RequestMirrorPolicies {
		mirror := Mirror{m.Cluster, million}
		if f := m.RuntimeFraction; f != nil {
			mirror.PerMillion = uint32(uint64(f.DefaultValue.Numerator) * million / denominators[f.DefaultValue.Denominator])
		}
		out.Mirrors = append(out.Mirrors, mirror)
	}
	return out
}

const million = 1_000_000

// denominators are Envoy's names of them; none is a hundred.
var denominators = map[string]uint64{"": 100, "HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": million}

// redirectStatus is 301 unless Envoy is told otherwise.
func redirectStatus(r map[string]any) int {
	codes := map[any]int{"FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308}
	if code, ok := codes[r["responseCode"]]; ok {
		return code
	}
	return 301
}

// changes lists what becomes of headers, as the documentation of Route has it.
func changes(add []rawHeader, remove []string) []string {
	var out []string
	for _, h := range add {
		mark := "+"
		if h.AppendAction == "OVERWRITE_IF_EXISTS_OR_ADD" {
			mark = "="
		}
		out = append(out, mark+h.Header.Key+": "+h.Header.Value)
	}
	for _, name := range remove {
		out = append(out, "-"+name)
	}
	return out
}
