// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"strings"
)

// Declaration is what a mesh takes the connections to a port for, by what the
// Service says (Istio's protocol selection).
type Declaration string

// The declarations. Undeclared: a sidecar looks into each connection and treats
// as requests what looks like them. DeclaredUDP on a port of TCP: a sidecar
// leaves it alone.
const (
	Undeclared   Declaration = ""
	DeclaredHTTP Declaration = "http"
	DeclaredTLS  Declaration = "tls"
	DeclaredTCP  Declaration = "tcp"
	DeclaredUDP  Declaration = "udp"
)

// declarations by word.
var declarations = map[string]Declaration{
	"http": DeclaredHTTP, "http2": DeclaredHTTP, "http_proxy": DeclaredHTTP, "grpc": DeclaredHTTP, "grpc-web": DeclaredHTTP,
	"https": DeclaredTLS, "tls": DeclaredTLS,
	"tcp": DeclaredTCP, "mongo": DeclaredTCP, "mysql": DeclaredTCP, "redis": DeclaredTCP,
	"udp": DeclaredUDP,
}

// standardWords are those of Kubernetes' own application protocols.
var standardWords = map[string]string{"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}

// serverFirst are ports on which servers speak first, so that a sidecar never
// looks into their connections: SMTP, DNS, MySQL and MongoDB.
var serverFirst = map[int32]bool{25: true, 53: true, 3306: true, 27017: true}

// Word is what a Service says that a port speaks: by appProtocol where there is
// one, otherwise by the beginning of the port's name. Empty where that is no
// word that a mesh knows.
func (p Port) Word() string {
	if p.AppProtocol == "" {
		return word(p.Name)
	}
	if standard, ok := standardWords[p.AppProtocol]; ok {
		return standard
	}
	return word(p.AppProtocol)
}

// word is what a text begins with; empty for what no mesh knows.
func word(text string) string {
	const web = "grpc-web" // the only one with a hyphen
	text = strings.ToLower(text)
	if strings.HasPrefix(text, web) {
		return web
	}
	first, _, _ := strings.Cut(text, "-")
	if _, known := declarations[first]; !known {
		return ""
	}
	return first
}

// Declares tells what a mesh takes the port for.
func (p Port) Declares() Declaration {
	w := p.Word()
	if w == "" && serverFirst[p.Number] {
		return DeclaredTCP
	}
	return declarations[w]
}

// Says tells people what Declares follows from.
func (p Port) Says() string {
	switch {
	case p.AppProtocol != "":
		return "appProtocol " + p.AppProtocol
	case p.Word() == "":
		return fmt.Sprintf("number %d", p.Number)
	}
	return "the name " + p.Name
}
