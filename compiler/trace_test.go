// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// told is an outcome in one line.
func told(o compiler.TraceOutcome) string {
	out := []string{string(o.Verdict)}
	for _, s := range o.Shares {
		out = append(out, fmt.Sprintf("%s%v %s", s.Cluster, s.Subset, s.Part))
	}
	if o.Unserved != nil {
		out = append(out, "unserved "+o.Unserved.String())
	}
	return strings.Join(out, "; ")
}

func TestTraceExamples(t *testing.T) {
	type query = compiler.TraceRequest
	page := "cluster1/default/productpage"
	for _, c := range []struct {
		example string
		q       query
		want    string
	}{
		{"bookinfo", query{From: page, URL: "http://reviews:9080/"}, "served; cluster1map[version:v1] 15%; cluster1map[version:v2] 10%; cluster2map[version:v3] 75%"},
		{"bookinfo", query{From: page, URL: "http://reviews:9080/api/x"}, "served; cluster2map[version:v3] 100%"},
		{"bookinfo", query{From: page, URL: "http://reviews:9080/apix", Lost: []string{"cluster2"}}, "served; cluster1map[version:v1] 60%; cluster1map[version:v2] 40%"},
		{"bookinfo", query{From: page, URL: "http://reviews:9080/api", Lost: []string{"cluster2"}}, "unreachable"},
		{"bookinfo", query{From: page, URL: "http://ratings.default.svc.clusterset.local:9080/", Healthy: map[string]string{"cluster1/ratings": "35.5%"}}, "served; cluster1map[] 50%; cluster2map[] 50%"},
		{"bookinfo", query{From: page, URL: "http://nowhere/"}, "noRoute"},
		{"bookinfo", query{From: page, URL: "http://reviews:9081/"}, "noRoute"},
		{"bookinfo", query{From: "cluster2/default/productpage", URL: "http://reviews:9080/"}, "served; cluster2map[] 100%"},
		{"guestbook", query{From: "managed-cluster/guestbook/frontend", URL: "tcp://redis-leader.guestbook.svc.clusterset.local:6379"}, "served; local-clustermap[] 100%"},
		{"guestbook", query{From: "managed-cluster/guestbook/frontend", URL: "tcp://redis-leader:6379"}, "noRoute"},
	} {
		files, inv := example(t, c.example)
		got, diags := compiler.Trace(files, inv, c.q)
		if diag.HasErrors(diags) || told(got.TraceOutcome) != c.want {
			t.Errorf("%+v:\ngot  %s %v\nwant %s", c.q, told(got.TraceOutcome), diags, c.want)
		}
	}
}

func TestTraceMistakes(t *testing.T) {
	files, inv := example(t, "bookinfo")
	_, diags := compiler.Trace(files, inv, compiler.TraceRequest{From: "cluster3/default/x", URL: "gopher://x", Lost: []string{"mars"},
		Healthy: map[string]string{"reviews": "50%", "cluster1/reviews": "half", "cluster1/ratings": "50/1%"}})
	var got []string
	for _, d := range diags {
		got = append(got, d.Message)
	}
	want := []string{
		`"reviews" is not cluster/service, cluster/namespace/service, or one of them with /label=value,…`,
		`the health "50/1%" of cluster1/ratings is no percentage from 0% to 100%`,
		`the health "half" of cluster1/reviews is no percentage from 0% to 100%`,
		`there is no cluster "cluster3"; there are cluster1, cluster2`,
		`there is no cluster "mars"; there are cluster1, cluster2`,
		`unknown scheme "gopher": choose one of grpc, http, https, tcp, tls, udp`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTraceAnswersAreDataThatCanBeReadBack(t *testing.T) {
	files, inv := example(t, "bookinfo")
	answer, _ := compiler.Trace(files, inv, compiler.TraceRequest{From: "cluster1/default/productpage", URL: "http://reviews:9080/"})
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var back compiler.TraceAnswer
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if told(back.TraceOutcome) != told(answer.TraceOutcome) || back.Shares[0].Part.Rat().Cmp(compiler.NewFraction(3, 20).Rat()) != 0 {
		t.Errorf("got %s", text)
	}
	if p := answer.Path[0].Position; p == nil || p.File != "reviews.yaml" || p.Line == 0 {
		t.Errorf("the first decision is nowhere: %+v", answer.Path[0])
	}
}
