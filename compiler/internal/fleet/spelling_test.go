// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What is spelled out by hand is what the regular expressions say that the API
// server has for the same names.
func TestSpellingIsThatOfTheAPIServer(t *testing.T) {
	tests := map[string]struct {
		is      func(string) bool
		pattern string
		longest int
	}{
		"account":     {accountName, `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`, longestAccount},
		"port":        {portName, `^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$`, longestPortName},
		"appProtocol": {appProtocol, `^([A-Za-z0-9]([-A-Za-z0-9._/]*[A-Za-z0-9])?)?$`, longestAppProtocol},
	}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "z", "0", "9", "-", ".", "_", "/", "A", "Z", " ", "\n", "é", "{", "`", "@"}
	texts := []string{"", ".", "a.", ".a", "a..b", "a-.b", "a.-b", "kubernetes.io/h2c", "a\n"}
	for range 20_000 {
		var s strings.Builder
		for range random.IntN(6) {
			s.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		texts = append(texts, s.String())
	}
	for name, test := range tests {
		pattern, right := regexp.MustCompile(test.pattern), 0
		for _, s := range append(texts, strings.Repeat("a", test.longest), strings.Repeat("a", test.longest+1)) {
			want := pattern.MatchString(s) && len(s) <= test.longest
			if test.is(s) != want {
				t.Errorf("%s %q: %v", name, s, !want)
			}
			if want {
				right++
			}
		}
		if right < 100 {
			t.Errorf("only %d texts are spelled as %s", right, name)
		}
	}
}
