// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Explain says in one line, without the chain of a Go error, why a request to
// an API server failed.
func Explain(err error) string {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var expired x509.CertificateInvalidError
	var hostname x509.HostnameError
	var network *net.OpError
	var large tooLarge
	var elsewhere redirected
	switch {
	case errors.As(err, &large):
		return large.Error()
	case errors.As(err, &elsewhere):
		return oneLine(elsewhere.Error())
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err), strings.Contains(err.Error(), "would exceed context deadline"):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused" + at(err)
	case errors.As(err, &dns):
		return fmt.Sprintf("host %s not found", dns.Name)
	case errors.As(err, &unknown):
		return "its certificate is signed by an authority that the kubeconfig does not name"
	case errors.As(err, &hostname):
		return "its certificate is for another host name"
	case errors.As(err, &expired):
		return "its certificate is not valid: " + oneLine(expired.Error())
	case apierrors.IsUnauthorized(err):
		return "the kubeconfig's credentials are refused"
	case errors.As(err, &network):
		return oneLine(network.Err.Error()) + at(err)
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return oneLine(status.Status().Message)
	}
	return oneLine(err.Error())
}

// at names the address that an error is about.
func at(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return " at " + op.Addr.String()
	}
	return ""
}

// longestReason in bytes, of what a server says of itself.
const longestReason = 400

// oneLine makes what a server says one line of visible characters.
func oneLine(s string) string {
	if len(s) > longestReason {
		s = s[:longestReason] + "…"
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}
