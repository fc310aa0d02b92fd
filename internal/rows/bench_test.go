package rows_test

import (
	"strings"
	"syscall"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// dense is a bundled net, dense at q, for pictures of h by w.
func dense(tb testing.TB, net string, h, w, q int) *model.Model {
	tb.Helper()
	b, err := nets.Read(net)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := model.Read(b)
	if err != nil {
		tb.Fatal(err)
	}
	o := rewrite.Options{Input: [2]int{h, w}, OutputStride: [2]int{q, q}}
	if strings.Contains(net, "same") { // it pads
		o.Contract = rewrite.Frame
	}
	r, err := rewrite.Rewrite(m, "00", o)
	if err != nil {
		tb.Fatal(err)
	}
	return r.Model
}

func opened(tb testing.TB, m *model.Model) edged.Engine {
	tb.Helper()
	b, err := m.Write()
	if err != nil {
		tb.Fatal(err)
	}
	e, err := fallback.Open(b, alone)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { e.Close() })
	return e
}

func stream(tb testing.TB, m *model.Model, strip, delay int) edged.Rows {
	tb.Helper()
	s, err := rows.Open(m, fallback.Open, rows.Options{Strip: strip, Delay: delay, Engine: alone})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// perRow is the processor's time of a picture's row: what works beside it counts less.
func perRow(tb testing.TB, n int, f func() error) float64 {
	tb.Helper()
	start := processor(tb)
	if err := f(); err != nil {
		tb.Fatal(err)
	}
	return float64(processor(tb)-start) / float64(n)
}

// processor is this process's time on processors, in nanoseconds.
func processor(tb testing.TB) int64 {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// alone keeps engines to one thread, whose processor time is its own.
var alone = edged.Options{Threads: 1}

// BenchmarkRows compares the time that a row of the picture takes: in the whole
// picture of 1,024 rows and 2,048 columns, in strips of 64 rows, in strips of 16, row
// by row, and in tiles that give 16 rows more each. The ratios are of turns side by
// side, on one thread; EDGED_RATES fixes what the plans choose by.
func BenchmarkRows(b *testing.B) {
	const h, w, q = 1024, 2048, 1
	for _, net := range []string{nets.Valid, nets.ValidInt8} {
		b.Run(net, func(b *testing.B) {
			m := dense(b, net, h, w, q)
			whole := opened(b, m)
			wide, narrow, single := stream(b, m, 64, -1), stream(b, m, 16, -1), stream(b, m, 1, 0)
			tile := opened(b, dense(b, net, 38+16, w, q))
			push := func(s edged.Rows, n, times int) func() error {
				return func() error {
					for range times {
						if _, err := s.Push(n); err != nil {
							return err
						}
					}
					return nil
				}
			}
			var sum [5]float64
			for range b.N {
				sum[0] += perRow(b, h, whole.Run)
				sum[1] += perRow(b, 64*8, push(wide, 64, 8))
				sum[2] += perRow(b, 16*16, push(narrow, 16, 16))
				sum[3] += perRow(b, 32, push(single, 1, 32))
				sum[4] += perRow(b, 16, tile.Run)
			}
			for i, name := range []string{"ns/row-whole", "ns/row-strips64", "ns/row-strips16", "ns/row-single", "ns/row-tiles16"} {
				b.ReportMetric(sum[i]/float64(b.N), name)
			}
			b.ReportMetric(sum[1]/sum[0], "strips64/whole")
			b.ReportMetric(sum[4]/sum[2], "tiles16/strips16")
			b.ReportMetric(sum[3]/sum[0], "single/whole")
		})
	}
}
