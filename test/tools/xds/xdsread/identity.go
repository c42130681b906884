// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// identity is how the proxy proves who it is: by the certificate tls.crt and
// tls.key of a directory, to a server that ca.crt vouches for. Without a
// directory there is no TLS.
type identity struct {
	// dir holds the files; serverName is what the server's certificate has.
	dir, serverName string
}

func (i identity) credentials() (credentials.TransportCredentials, error) {
	if i.dir == "" {
		return insecure.NewCredentials(), nil
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(i.dir, "tls.crt"), filepath.Join(i.dir, "tls.key"))
	if err != nil {
		return nil, fmt.Errorf("read the proxy's certificate: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(i.dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("read the authority: no certificate in ca.crt")
	}
	return credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: i.serverName, MinVersion: tls.VersionTLS13}), nil
}
