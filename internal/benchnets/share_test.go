package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"edged"
	"edged/fallback"
	"edged/model"
	"edged/rewrite"
)

// onWindows is MobileNetV1, P = 224, and its file of the form windows.
func onWindows(t testing.TB, typ model.TensorType, frame, q [2]int) (base, dense []byte) {
	t.Helper()
	m := mobilenet(typ)
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite.Rewrite(m, "00", rewrite.Options{Form: rewrite.Windows, Input: frame, OutputStride: q})
	if err != nil {
		t.Fatal(err)
	}
	dense, err = r.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	return base, dense
}

func opened(t testing.TB, file []byte, o edged.Options) edged.Engine {
	t.Helper()
	e, err := fallback.Open(file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// noise fills an input.
func noise(e edged.Engine) []byte {
	r := rand.New(rand.NewPCG(5, 5))
	b := e.Input(0)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if e.Inputs()[0].Type == edged.Float32 {
		for i := range edged.View[float32](b) {
			edged.View[float32](b)[i] = 2*r.Float32() - 1
		}
	}
	return b
}

// TestMobileNetWindowByWindow: with layers shared, each window's answer is what the
// net says of that window alone, bit for bit: int8 always, float32 without Winograd.
func TestMobileNetWindowByWindow(t *testing.T) {
	const patch = 224
	frame, q := [2]int{240, 272}, [2]int{16, 16}
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		base, dense := onWindows(t, typ, frame, q)
		info, err := fallback.Describe(dense, edged.Options{})
		if err != nil || info.Windows == nil || len(info.Windows.Shared) == 0 {
			t.Fatalf("%v: nothing is shared: %v", typ, err)
		}
		o := edged.Options{Threads: 2, Exact: true}
		all, one := opened(t, dense, o), opened(t, base, o)
		in := noise(all)
		if err := all.Run(); err != nil {
			t.Fatal(err)
		}
		row := len(one.Input(0)) / patch
		pixel, size := row/patch, len(one.Output(0))
		for w := range info.Windows.Count[0] * info.Windows.Count[1] {
			y, x := w/info.Windows.Count[1]*q[0], w%info.Windows.Count[1]*q[1]
			for j := range patch {
				copy(one.Input(0)[j*row:][:row], in[((y+j)*frame[1]+x)*pixel:])
			}
			if err := one.Run(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(one.Output(0), all.Output(0)[w*size:][:size]) {
				t.Errorf("%v: window %d differs", typ, w)
			}
		}
	}
}

// TestMobileNetSharesHalf: by count of products on 480x640, sharing as far as it goes
// leaves half or less of them.
func TestMobileNetSharesHalf(t *testing.T) {
	t.Setenv("EDGED_SHARING", "all")
	for q, want := range map[int]float64{32: 1.8, 16: 2.2} {
		_, dense := onWindows(t, model.TypeInt8, [2]int{480, 640}, [2]int{q, q})
		info, err := fallback.Describe(dense, edged.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		var macs int64
		for _, s := range info.Steps {
			macs += s.MACs * int64(max(s.Times, 1))
		}
		windows := int64(info.Windows.Count[0] * info.Windows.Count[1])
		if fewer := float64(windows*rewrite.Analyse(mobilenet(model.TypeInt8)).MACs) / float64(macs); fewer < want || fewer > 2.6 {
			t.Errorf("stride %d: %.2f times fewer products, want %.1f", q, fewer, want)
		}
	}
}

// BenchmarkWindows measures in turns, in processor time: the net as often as there are
// windows, windows without sharing, and with it. Ratios are of the fastest of each, and
// of the first runs.
func BenchmarkWindows(b *testing.B) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, q := range []int{32, 16} {
			for _, threads := range []int{1, 2} {
				name := strings.ToLower(typ.String()) + map[int]string{32: "/q32", 16: "/q16"}[q] + map[int]string{1: "/1thread", 2: "/2threads"}[threads]
				b.Run(name, func(b *testing.B) { race(b, typ, q, threads) })
			}
		}
	}
}

func race(b *testing.B, typ model.TensorType, q, threads int) {
	base, dense := onWindows(b, typ, [2]int{480, 640}, [2]int{q, q})
	o := edged.Options{Threads: threads}
	b.Setenv("EDGED_SHARING", "off")
	alone := opened(b, dense, o)
	b.Setenv("EDGED_SHARING", "")
	shared, one := opened(b, dense, o), opened(b, base, o)
	windows := alone.Outputs()[0].Shape[1] * alone.Outputs()[0].Shape[2]
	best := [3]time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64}
	var first [3]time.Duration
	for range b.N {
		for i, e := range []edged.Engine{one, alone, shared} {
			noise(e)
			start := processor(b)
			for range []int{windows, 1, 1}[i] {
				if err := e.Run(); err != nil {
					b.Fatal(err)
				}
			}
			took := processor(b) - start
			if best[i] = min(best[i], took); first[i] == 0 {
				first[i] = took
			}
		}
	}
	ratio := func(a, b time.Duration) float64 { return float64(a) / float64(b) }
	b.ReportMetric(float64(best[0].Microseconds())/1000, "net-cpu-ms")
	b.ReportMetric(ratio(best[1], best[0]), "unshared/net")
	b.ReportMetric(ratio(best[0], best[2]), "net/shared")
	b.ReportMetric(ratio(first[0], first[2]), "first-net/shared")
}

// processor is the time that this process has computed: others on the machine do not
// count.
func processor(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
