// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// Length of a Curve25519 key in bytes.
const Length = 32

// redacted is what a private key prints as.
const redacted = "(private key)"

// Private is a WireGuard private key. However it is printed, logged or
// marshalled, it does not show.
type Private struct {
	// A pointer: reflection-based printers stop at its address.
	raw *[Length]byte
}

// generate makes a key from random bytes, with the bits set that Curve25519
// wants, so that what WireGuard reports back equals what it was given.
func generate(random io.Reader) (Private, error) {
	var raw [Length]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return Private{}, fmt.Errorf("make a private key: %w", err)
	}
	raw[0] &= 248
	raw[31] = raw[31]&127 | 64
	return Private{&raw}, nil
}

// parse reads the one line of a key file.
func parse(line string) (Private, error) {
	decoded, err := base64.StdEncoding.DecodeString(line)
	if err != nil || len(decoded) != Length {
		// The decoder's own message could show a part of the key.
		return Private{}, fmt.Errorf("it is not one line of %d bytes in base64", Length)
	}
	raw := [Length]byte(decoded)
	if raw[0]&7 != 0 || raw[31]&192 != 64 {
		return Private{}, fmt.Errorf("it is not a Curve25519 private key")
	}
	return Private{&raw}, nil
}

// Public is the public half in base64; empty for the zero Private.
func (p Private) Public() string {
	if p.raw == nil {
		return ""
	}
	key, err := ecdh.X25519().NewPrivateKey(p.raw[:])
	if err != nil {
		return "" // not possible: the length is right, and any 32 bytes are a key
	}
	return base64.StdEncoding.EncodeToString(key.PublicKey().Bytes())
}

// Reveal is the key itself, for the one call that hands it to WireGuard.
func (p Private) Reveal() [Length]byte {
	if p.raw == nil {
		return [Length]byte{}
	}
	return *p.raw
}

// String, Format, LogValue and MarshalText show that there is a key, and nothing
// of it.
func (p Private) String() string { return redacted }

// Format is String for every verb of package fmt.
func (p Private) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue is String.
func (p Private) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is String; encoding/json and YAML use it.
func (p Private) MarshalText() ([]byte, error) { return []byte(redacted), nil }
