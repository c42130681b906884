// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
)

// certificate makes a root, as DER and as PEM.
func certificate(t *testing.T, serial int64) (der, text []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), IsCA: true, BasicConstraintsValid: true}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	return der, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Digests are of each certificate, whatever their order and what stands between
// them.
func TestDigests(t *testing.T) {
	der1, one := certificate(t, 1)
	der2, two := certificate(t, 2)
	var want []string
	for _, der := range [][]byte{der1, der2} {
		sum := sha256.Sum256(der)
		want = append(want, hex.EncodeToString(sum[:]))
	}
	slices.Sort(want)
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")})
	for name, text := range map[string][]byte{
		"as they are": slices.Concat(one, two), "the other way round": slices.Concat(two, one),
		"with words between": slices.Concat([]byte("# the old one\n"), one, []byte("\n\nthe new one\n"), two, []byte("end")),
		"one twice":          slices.Concat(one, two, one), "with another block": slices.Concat(one, broken, two),
	} {
		if got := digests(text); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got := digests([]byte("nothing")); len(got) > 0 {
		t.Errorf("%v of nothing", got)
	}
	var many []byte
	for i := range int64(mostRoots + 3) {
		_, text := certificate(t, i)
		many = append(many, text...)
	}
	if got := digests(many); len(got) != mostRoots {
		t.Errorf("%d of many", len(got))
	}
}
