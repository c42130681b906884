// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestCodesAreDocumentedOnceAndInOrder(t *testing.T) {
	form := regexp.MustCompile(`^FL1[0-4][0-9]{2}$`)
	codes := Codes()
	if !slices.IsSortedFunc(codes, func(a, b Code) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the codes are out of order")
	}
	for i, c := range codes {
		if !form.MatchString(c.ID) || c.Title == "" || c.Doc == "" {
			t.Errorf("%+v says too little", c)
		}
		if i > 0 && codes[i-1].ID == c.ID {
			t.Errorf("%s is described twice", c.ID)
		}
		if found, ok := Lookup(c.ID); !ok || found != c {
			t.Errorf("Lookup(%s) gives %+v", c.ID, found)
		}
	}
	if _, ok := Lookup("FL0000"); ok {
		t.Error("a code that does not exist was found")
	}
}
