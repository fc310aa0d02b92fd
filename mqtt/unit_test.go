package mqtt

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A queue is compared with a plain slice under every order of operations.
func TestQueueAgainstASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue{bound: 10_000}
		var model []*message
		var n uint64
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0, 1, 2:
				n++
				m := &message{order: n, payload: make([]byte, rapid.IntRange(0, 3000).Draw(t, "size"))}
				model = append(model, m)
				q.push(m, func(old *message) {
					if old != model[0] {
						t.Fatalf("dropped %d, the oldest is %d", old.order, model[0].order)
					}
					model = model[1:]
				})
			case 3:
				if m := q.pop(); len(model) > 0 {
					if m != model[0] {
						t.Fatal("popped another than the oldest")
					}
					model = model[1:]
				} else if m != nil {
					t.Fatal("popped from an empty queue")
				}
			case 4:
				odd := func(m *message) bool { return m.order%2 == 1 }
				q.remove(odd, func(*message) {})
				var kept []*message
				for _, m := range model {
					if !odd(m) {
						kept = append(kept, m)
					}
				}
				model = kept
			case 5:
				n++
				m := &message{order: n}
				q.pushFront(m)
				model = append([]*message{m}, model...)
			}
			var bytes int64
			for _, m := range model {
				bytes += m.size()
			}
			if q.len() != len(model) || q.bytes != bytes {
				t.Fatalf("%d messages of %d bytes, want %d of %d", q.len(), q.bytes, len(model), bytes)
			}
		}
	})
}

func TestGapsGrowMergeAndStayBounded(t *testing.T) {
	b := gapBook{}
	one := func(k Kind, n uint64, r Reason) { b.add("c", Gap{Kind: k, From: n, To: n, Count: 1, Reason: r}) }
	for _, n := range []uint64{3, 4, 5, 7} {
		one(KindMask, n, ReasonQueueFull)
	}
	one(KindMask, 8, ReasonUnknown)
	one(KindResult, 5, ReasonQueueFull)
	want := []Gap{{KindMask, 3, 5, 3, ReasonQueueFull}, {KindMask, 7, 7, 1, ReasonQueueFull}, {KindMask, 8, 8, 1, ReasonUnknown}, {KindResult, 5, 5, 1, ReasonQueueFull}}
	if d := cmp.Diff(want, b["c"]); d != "" {
		t.Error(d)
	}
	if b.reveals("c", KindMask, 3) || !b.reveals("c", KindMask, 6) || b.reveals("c", KindEvent, 9) || b.reveals("d", KindMask, 9) {
		t.Error("reveals is wrong")
	}
	for n := uint64(10); n < 10_000; n += 2 {
		one(KindMask, n, ReasonQueueFull)
	}
	var count uint64
	covered := map[uint64]bool{}
	reports := 0
	for len(b["c"]) > 0 {
		reports++
		gaps := b.take("c")
		if len(gaps) > maxReported {
			t.Fatalf("%d ranges in one report", len(gaps))
		}
		for _, g := range gaps {
			if g.Kind != KindMask {
				continue
			}
			count += g.Count
			for n := g.From; n <= g.To; n++ {
				covered[n] = true
			}
		}
	}
	if count != 5+4995 || reports > (maxGaps+1)/maxReported+1 {
		t.Errorf("%d numbers in %d reports", count, reports)
	}
	for n := uint64(10); n < 10_000; n += 2 {
		if !covered[n] {
			t.Fatalf("%d is in no range", n)
		}
	}
}

func TestLimiter(t *testing.T) {
	now := time.Now()
	l := newLimiter(128 << 10)
	for range 2 { // the second loss is what rouses suspicion
		if l.judge(1000, 100, now) {
			t.Error("a payload below the smallest limit was suspected")
		}
		if l.judge(50_000, 60_000, now) {
			t.Error("a payload smaller than a confirmed one was suspected")
		}
	}
	if l.judge(20_000, 1000, now) {
		t.Error("one broken link is no pattern")
	}
	l.reset()
	if l.judge(20_000, 1000, now) || !l.judge(20_000, 1000, now) || l.cur != 10_000 {
		t.Errorf("limit %d after two suspect links", l.cur)
	}
	if !l.judge(9000, 1000, now) || l.cur != 4500 {
		t.Errorf("limit %d after one more", l.cur)
	}
	if l.relax(now.Add(time.Minute)) || !l.relax(now.Add(limitSpell)) || l.cur != 9000 {
		t.Errorf("limit %d after a quiet spell", l.cur)
	}
	l = newLimiter(128 << 10)
	for i, want := range []bool{false, false, false, true} {
		if l.judge(11_000, 10_000, now) != want {
			t.Errorf("hardly larger than a confirmed one: link %d", i)
		}
	}
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	cfg := Default()
	for failures, least := range map[int]time.Duration{0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 30, 1000: 30} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := (&health{failures: failures}).backoff(cfg)
			if d < least*time.Second || d > min(least*3/2*time.Second+time.Second/2, 30*time.Second) {
				t.Errorf("%d failures: pause of %v", failures, d)
			}
			seen[d] = true
		}
		if least < 30 && len(seen) < 10 {
			t.Errorf("%d failures: only %d different pauses", failures, len(seen))
		}
	}
}
