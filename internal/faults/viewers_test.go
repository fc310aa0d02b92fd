//go:build faults

package faults

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// viewers is how many people watch a line at once in the benchmark.
const viewers = 40

// BenchmarkViewers tells how many of a 1080p line's results 40 viewers of its page
// cost, in turns of 10 seconds with and without them: the median of 5 pairs.
//
//	make build && EDGED_BIN=$PWD/bin go test -tags faults -run '^$' -bench Viewers -benchtime 1x ./internal/faults
func BenchmarkViewers(b *testing.B) {
	r := NewRig(b, Setup{Sources: []string{"test:belt?size=1920x1080&fps=25"}, H: 240, W: 320})
	for range b.N {
		var lost []float64
		for range 5 {
			alone := r.rate(10 * time.Second)
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			got := make([]int, viewers)
			for i := range viewers {
				wg.Go(func() { got[i] = view(ctx, r.Daemon.HTTP) })
			}
			watched := r.rate(10 * time.Second)
			cancel()
			wg.Wait()
			lost = append(lost, 100*(1-watched/alone))
			b.Logf("results a second: %.1f alone, %.1f watched; pictures a viewer %d to %d", alone, watched, slices.Min(got), slices.Max(got))
		}
		slices.Sort(lost)
		b.ReportMetric(lost[len(lost)/2], "%lost")
	}
	r.Close()
}

// rate is how many results a second come in a while.
func (r *Rig) rate(while time.Duration) float64 {
	from, begin := r.Rec.Latest("c0").Seq, time.Now()
	time.Sleep(while)
	return float64(r.Rec.Latest("c0").Seq-from) / time.Since(begin).Seconds()
}

// view does what the page does, and tells how many pictures came.
func view(ctx context.Context, host string) (n int) {
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for after := uint64(0); ctx.Err() == nil; {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/live/c0?after=%d", host, after), nil)
		if err != nil {
			return n
		}
		reply, err := client.Do(q)
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(reply.Body) // cut off at the end
		reply.Body.Close()
		if id, ok := pictureID(body); ok {
			after = id
			n++
		}
	}
	return n
}

// pictureID is the number of a picture: in the JSON that the body begins with,
// behind its length.
func pictureID(body []byte) (uint64, bool) {
	if len(body) < 4 {
		return 0, false
	}
	n := int(binary.BigEndian.Uint32(body))
	var head struct{ ID uint64 }
	if n > len(body)-4 || json.Unmarshal(body[4:4+n], &head) != nil {
		return 0, false
	}
	return head.ID, head.ID > 0
}
