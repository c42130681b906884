// SPDX-License-Identifier: Apache-2.0

package inventory_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/reconciler/internal/inventory"
)

// patience is how long the tests wait for a server that means no good.
const patience = 2 * time.Second

// answers returns a handler that gives the documents of discovery, and to every
// list what list gives.
func answers(list func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	resources := func(names ...string) string {
		var out []string
		for _, n := range names {
			out = append(out, fmt.Sprintf(`{"name":%q,"singularName":"","namespaced":false,"kind":%q,"verbs":["list"]}`, strings.ToLower(n)+"s", n))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	documents := map[string]string{
		"/api":          `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":         `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}`,
		"/api/v1":       `{"kind":"APIResourceList","groupVersion":"v1","resources":` + resources("Namespace", "Pod", "Service") + `}`,
		"/apis/apps/v1": `{"kind":"APIResourceList","groupVersion":"apps/v1","resources":` + resources("Deployment") + `}`,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if text, ok := documents[r.URL.Path]; ok {
			fmt.Fprint(w, text)
			return
		}
		list(w, r)
	}
}

// drip writes a text again and again until the client is gone.
func drip(text string, every time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
			if _, err := fmt.Fprint(w, text); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
}

// hostile is a server and what is said of it.
type hostile struct {
	answer http.HandlerFunc
	want   string
}

// hostiles are servers that mean no good, by what they do.
func hostiles() map[string]hostile {
	megabyte := strings.Repeat("x", 1<<20)
	return map[string]hostile{
		"byte by byte":      {drip(" ", 10*time.Millisecond), "no answer within 2s"},
		"list byte by byte": {answers(drip(" ", 10*time.Millisecond)), "no answer within 2s"},
		"server error": {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no\n\x1b[2Jway", 500) },
			"error"},
		"a web page": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>\n<body>\x1b]0;owned\a"+megabyte)
		}, ""},
		"wrong types": {answers(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{},"items":[{"kind":"Service","apiVersion":"v1","metadata":{"name":7},"spec":"x"},3]}`)
		}), ""},
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
		}, "it redirects to http://127.0.0.1:1/elsewhere, and redirects are not followed"},
		"answers without end": {answers(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, megabyte); err != nil {
					return
				}
			}
		}), "one of its answers is larger than"},
		"pages without end": {answers(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"continue":"more"},"items":[]}`)
		}), "no answer"},
		"objects without end": {answers(func(w http.ResponseWriter, r *http.Request) {
			item := `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"n"}}`
			fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"continue":"more"},"items":[`+strings.Repeat(item+",", 20000)+item+`]}`)
		}), ""},
		"a status with escapes": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"go\u001b[2J\naway`+megabyte+`"}`)
		}, "away"},
	}
}

// TestHostileServers: whatever an API server answers, its cluster is left out in
// time, with one line that says why; the others are observed.
func TestHostileServers(t *testing.T) {
	for name, s := range hostiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(s.answer)
			t.Cleanup(server.Close)
			honest := httptest.NewServer(answers(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}`)
			}))
			t.Cleanup(honest.Close)
			began, timeout := time.Now(), patience
			if s.want != "" && !strings.Contains(s.want, "no answer") {
				timeout = 60 * patience // it says what it is about, even on a busy machine
			}
			got := inventory.Collect(context.Background(), []inventory.Target{
				{Name: "bad", ClusterSet: "p", Config: &rest.Config{Host: server.URL}, Timeout: timeout},
				{Name: "good", ClusterSet: "p", Config: &rest.Config{Host: honest.URL}, Timeout: 30 * time.Second},
			}, moment)
			why := got.Clusters[0].Unreachable
			if why == "" || !strings.Contains(why, s.want) {
				t.Errorf("why it was left out: %.500q, want %q", why, s.want)
			}
			if len(why) > 1000 || strings.ContainsFunc(why, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%d bytes, not one line of text: %.300q", len(why), why)
			}
			if got.Clusters[1].Unreachable != "" {
				t.Errorf("the other cluster: %s", got.Clusters[1].Unreachable)
			}
			if took := time.Since(began); took > timeout+10*patience {
				t.Errorf("it took %s", took)
			}
		})
	}
}
