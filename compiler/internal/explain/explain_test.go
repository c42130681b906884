// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shelf is an input of every shape.
type shelf struct {
	Name    string            `json:"name"`
	Width   *int32            `json:"width"`
	Labels  map[string]string `json:"labels"`
	Books   []book            `json:"books"`
	Lock    *lock             `json:"lock"`
	At      string            `json:"at"`
	Net     string            `json:"net"`
	Open    bool              `json:"open"`
	Hidden  string            `json:"-"`
	Unnamed `json:",inline"`
}

// Unnamed has no name of its own in paths.
type Unnamed struct {
	Owner string `json:"owner"`
}

type book struct {
	Title string `json:"title"`
	Pages int64  `json:"pages"`
}

type lock struct {
	Code string `json:"code"`
}

func (s *shelf) build() map[string]any {
	if s.Name == "" || strings.HasSuffix(s.Name, "x") {
		return nil
	}
	if s.Owner == "" {
		panic("nobody's shelf")
	}
	out := map[string]any{"fixed": "always", "who": s.Owner, "none": map[string]any{}, "list": []any{}}
	if s.Width != nil {
		out["width"] = int64(*s.Width)
	}
	if s.Lock != nil {
		out["lock"] = "locked"
	}
	if s.Open {
		out["open"] = "yes"
	}
	out["place"] = s.At + " " + s.Net + s.Labels["room"]
	var titles []any
	for _, b := range s.Books {
		titles = append(titles, fmt.Sprint(b.Title, " ", b.Pages > 100))
	}
	out["titles"] = titles
	return out
}

func TestObject(t *testing.T) {
	width := int32(4)
	s := &shelf{Name: "oak", Width: &width, Labels: map[string]string{"room": "north", "colour": "red"}, Lock: &lock{},
		Books: []book{{"a", 100}, {"b", 7}}, At: "10.0.0.255", Net: "10.1.0.0/16", Open: true, Unnamed: Unnamed{"ann"}}
	before := fmt.Sprint(s.build())
	got := Object(s.build, []Input{{"shelf", Changes(s, "spec")}})
	if after := fmt.Sprint(s.build()); after != before {
		t.Errorf("the input was left changed: %s", after)
	}
	var lines []string
	for _, f := range got {
		line := f.Path + "=" + f.Value
		for _, from := range f.From {
			line += " " + from.Path
		}
		for _, needs := range f.Needs {
			line += " !" + needs.Path
		}
		lines = append(lines, line)
	}
	want := []string{
		"= !spec.name !spec.owner",
		"fixed=always",
		"list=[]",
		"lock=locked !spec.lock",
		"none={}",
		"open=yes !spec.open",
		"place=10.0.0.255 10.1.0.0/16north spec.labels.room spec.at spec.net",
		"titles[0]=a false spec.books[0].title spec.books[0].pages",
		"titles[1]=b false spec.books[1].title",
		"who=ann spec.owner",
		"width=4 spec.width",
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Without effects inside, a block itself is the source.
func TestBlock(t *testing.T) {
	n := []book{{"a", 1}, {"b", 2}}
	build := func() map[string]any { return map[string]any{"count": len(n)} }
	got := Object(build, []Input{{"n", Changes(&n, "n")}})
	want := []Field{{}, {Path: "count", Value: "2", From: []Source{{"n", "n[0]"}, {"n", "n[1]"}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestSameForm(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.255": "10.0.1.0", "2001:db8::1": "2001:db8::2", "30s": "31s", "71%": "72%", "plain": "plain",
		"10.1.0.0/24": "10.1.1.0/32", "99999999999999s": "99999999999999s",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	} {
		if got := sameForm(text); got != want {
			t.Errorf("%s becomes %s, not %s", text, got, want)
		}
	}
	if _, err := time.ParseDuration(sameForm("1m30s")); err != nil {
		t.Error(err)
	}
}

func TestRename(t *testing.T) {
	s := &shelf{Name: "a", At: "b", Books: []book{{"a", 1}}, Lock: &lock{"a"}}
	Rename(s, "a", "c")
	if s.Name != "c" || s.At != "b" || s.Books[0].Title != "c" || s.Lock.Code != "c" {
		t.Errorf("got %+v %+v", s, s.Lock)
	}
}

func TestPathsInOrder(t *testing.T) {
	paths := []string{"a[10].b", "a[2]", "a", "a[2].z", "b", "a[2].c[1]"}
	slices.SortFunc(paths, comparePaths)
	want := []string{"a", "a[2]", "a[2].c[1]", "a[2].z", "a[10].b", "b"}
	if !slices.Equal(paths, want) {
		t.Errorf("got %v", paths)
	}
}
