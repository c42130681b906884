// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// MaxAnswer bounds one answer of an API server, unpacked: a page of PageSize
// objects of 256 KiB, many times what objects have.
const MaxAnswer = PageSize << 18

// MaxObjects of one kind that are read from one cluster. Kubernetes is tested
// with up to 150,000 pods.
const MaxObjects = 200_000

// tooLarge says that a server's answers had no end.
type tooLarge struct{ what string }

// Error says what there was too much of.
func (t tooLarge) Error() string { return t.what }

// redirected says that a server sends elsewhere. API servers do not, and
// whoever follows sends credentials to a place that the kubeconfig does not name.
type redirected struct{ to string }

// Error says where to.
func (r redirected) Error() string {
	return fmt.Sprintf("it redirects to %s, and redirects are not followed", r.to)
}

// guardedClient is an HTTP client for a configuration that follows no redirect
// and reads no answer without end.
func guardedClient(config *rest.Config) (*http.Client, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	// It may be http.DefaultClient.
	guarded := *client
	guarded.CheckRedirect = func(r *http.Request, _ []*http.Request) error { return redirected{r.URL.Redacted()} }
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	guarded.Transport = limiter{next}
	return &guarded, nil
}

type limiter struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.next.RoundTrip(r)
	if err == nil && answer.Body != nil {
		answer.Body = &limited{ReadCloser: answer.Body, left: MaxAnswer}
	}
	return answer, err
}

// limited is a body that fails where it should have ended.
type limited struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, tooLarge{fmt.Sprintf("one of its answers is larger than %d MiB", MaxAnswer>>20)}
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.ReadCloser.Read(p)
	l.left -= int64(n)
	return n, err
}
