package mqtt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// large is a result of everything.
func large(classes, blobs, reasons int) *Result {
	r := &Result{Schema: Schema, Seq: 1, Model: "m", Reasons: []Why{}, Classes: []Class{}, BlobsTotal: &blobs}
	for i := range classes {
		r.Classes = append(r.Classes, Class{ID: i, Name: fmt.Sprint("class ", i), Px: i % 7 * 100})
	}
	for i := range blobs {
		r.Blobs = append(r.Blobs, Blob{Class: "class 1", X: i, Px: blobs - i})
	}
	for i := range reasons {
		r.Reasons = append(r.Reasons, Why{Rule: i, Text: strings.Repeat("why ", 20)})
	}
	return r
}

// What does not fit is left out in the documented order, and named.
func TestShrink(t *testing.T) {
	for _, c := range []struct {
		limit                   int
		blobs, classes, reasons int // at least
		left                    []string
	}{
		{1 << 20, 64, 200, 8, nil},
		{14_000, 1, 200, 8, []string{"blobs"}},
		{11_000, 0, 150, 8, []string{"blobs", "classes"}},
		{9_500, 0, 150, 1, []string{"blobs", "classes", "reasons"}},
		{minPayload, 0, 1, 1, []string{"blobs", "classes", "reasons"}},
		{600, 0, 0, 0, []string{"blobs", "classes", "reasons"}},
	} {
		r := large(200, 64, 8)
		whole := *r
		body, err := shrink(r, c.limit)
		if err != nil || len(body) > c.limit {
			t.Errorf("limit %d: %d bytes, %v", c.limit, len(body), err)
		}
		var got Result
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Blobs) < c.blobs || len(got.Classes) < c.classes || len(got.Reasons) < c.reasons || !slices.Equal(got.LeftOut, c.left) || *got.BlobsTotal != 64 {
			t.Errorf("limit %d: %d blobs, %d classes, %d reasons, left out %q; want at least %+v", c.limit, len(got.Blobs), len(got.Classes), len(got.Reasons), got.LeftOut, c)
		}
		if len(got.Blobs) > 0 && got.Blobs[0].Px != 64 || len(got.Classes) == 1 && got.Classes[0].Px != 600 {
			t.Errorf("limit %d: the largest were left out: %+v", c.limit, got.Classes)
		}
		if again := large(200, 64, 8); len(whole.Classes) != 200 || !slices.Equal(whole.Classes, again.Classes) {
			t.Error("the caller's result was changed")
		}
	}
}

// The largest result is no smaller than any that has the same names.
func TestLargestResult(t *testing.T) {
	r := large(200, 64, 8)
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range r.Classes {
		names = append(names, c.Name)
	}
	if n := LargestResult(r.Model, "go avx512", names, r.Reasons); n < len(body) || n > 3*len(body)+4096 {
		t.Errorf("%d bytes at most, and one has %d", n, len(body))
	}
}

// A client sends no result over its limit, tells once, and counts each.
func TestPublishShrinks(t *testing.T) {
	c := deaf(t, func(cfg *Config) { cfg.MaxPayload = minPayload })
	for i := range 3 {
		r := large(200, 64, 8)
		r.Seq = uint64(i + 1)
		if err := c.Publish("cam", r, nil); err != nil {
			t.Fatal(err)
		}
	}
	l, _ := c.Link()
	led := c.Ledger()
	if led[KindResult].Queued != 3 || led[KindEvent].Queued != 1 || l.Degraded[degradedResult] != 3 {
		t.Errorf("%+v, %+v", led, l)
	}
}

// Answers get at most half of a busy link.
func TestAnswersHaveAShare(t *testing.T) {
	c := deaf(t, nil)
	for i := range 10 {
		c.respond("snapshot", "t", strings.Repeat("x", 5000), nil)
		if err := c.Publish("cam", &Result{Seq: uint64(i + 1)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var order []Kind
	for m := c.next(); m != nil; m = c.next() {
		if m.kind == KindResult || m.kind == KindResponse {
			order = append(order, m.kind)
		}
		c.confirm(m)
	}
	if got := order[:11]; got[0] != KindResponse || slices.Contains(got[1:9], KindResponse) {
		t.Errorf("the order is %v", order)
	}
	if len(order) != 20 {
		t.Errorf("%d of 20 were sent", len(order))
	}
}
