//go:build tflite && cgo

package rewrite

import (
	"fmt"
	"testing"
	"time"

	"edged"
	"edged/model"
	"edged/tflite"
)

// benchNet is 8 convolutions and 3 pools, VALID, stride 8, as factories have
// them, at the given input size.
func benchNet(h, w int) *model.Model {
	b := newMaker(41, model.TypeFloat32)
	x := b.input(h, w, 3)
	for _, c := range []int{16, 24, 32} {
		x = b.conv(b.conv(x, c, square(3, 1)), c, square(3, 1))
		x = b.maxPool(x, square(2, 2))
	}
	x = b.conv(x, 32, square(3, 1))
	return b.Model(b.Name(b.conv(x, 5, square(1, 1).bare()), "logits"))
}

func openFile(b *testing.B, m *model.Model) edged.Engine {
	b.Helper()
	file, err := m.Write()
	if err != nil {
		b.Fatal(err)
	}
	e, err := tflite.Open(file, edged.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

func denseForm(b *testing.B, m *model.Model, f Form) edged.Engine {
	b.Helper()
	r, err := Rewrite(m, "00", Options{Form: f})
	if err != nil {
		b.Fatal(err)
	}
	return openFile(b, r.Model)
}

// BenchmarkDenseAgainstShifts interleaves the dense graph with 64 runs of the
// baseline, and one patch; it reports how many times faster the dense graph is
// than shift-and-stitch and than patch by patch.
func BenchmarkDenseAgainstShifts(b *testing.B) {
	m := benchNet(256, 256)
	dense, base := denseForm(b, m, Auto), openFile(b, m)
	a := Analyse(m)
	patch := openFile(b, benchNet(a.Field[0], a.Field[1]))
	positions := float64((256 - a.Field[0] + 1) * (256 - a.Field[1] + 1))
	var t [3]float64
	for range b.N {
		t[0] += seconds(b, dense, 1)
		t[1] += seconds(b, base, 64)
		t[2] += seconds(b, patch, 200) / 200
	}
	b.ReportMetric(1000*t[0]/float64(b.N), "dense-ms")
	b.ReportMetric(t[1]/t[0], "x-shifts")
	b.ReportMetric(t[2]*positions/t[0], "x-patches")
}

func seconds(b *testing.B, e edged.Engine, runs int) float64 {
	b.Helper()
	start := time.Now()
	for range runs {
		if err := e.Run(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start).Seconds()
}

// BenchmarkForms interleaves the forms of several nets and reports how much
// slower auto's choice is than the best form.
func BenchmarkForms(b *testing.B) {
	mobile := func(typ model.TensorType) *model.Model {
		k := newMaker(42, typ)
		x := k.input(160, 160, 3)
		for _, c := range []int{16, 24, 32} {
			x = k.conv(k.depthwise(x, 1, square(3, 1)), c, square(1, 1))
			x = k.maxPool(x, square(2, 2))
		}
		return k.Model(k.Name(k.conv(x, 5, square(1, 1).bare()), "map"))
	}
	same := func() *model.Model {
		k := newMaker(43, model.TypeFloat32)
		x := k.input(160, 160, 3)
		for _, c := range []int{16, 24, 32} {
			x = k.conv(k.conv(x, c, square(3, 2).same()), c, square(3, 1).same())
		}
		return k.Model(k.Name(k.conv(x, 5, square(1, 1).bare()), "map"))
	}
	for name, m := range map[string]*model.Model{"pools": benchNet(160, 160), "depthwise": mobile(model.TypeFloat32), "depthwise-int8": mobile(model.TypeInt8), "strided-same": same()} {
		b.Run(name, func(b *testing.B) {
			e := []edged.Engine{denseForm(b, m, Auto), denseForm(b, m, Dilated), denseForm(b, m, Fragments)}
			best := make([]float64, len(e))
			for i := range b.N {
				for k := range e {
					s := seconds(b, e[k], 1)
					if i == 0 || s < best[k] {
						best[k] = s
					}
				}
			}
			for k, f := range []Form{Auto, Dilated, Fragments} {
				b.ReportMetric(1000*best[k], fmt.Sprintf("%s-ms", f))
			}
			b.ReportMetric(best[0]/min(best[1], best[2]), "auto/best")
		})
	}
}

// BenchmarkRewrite10MB rewrites a model of 10 MB, from bytes to bytes.
func BenchmarkRewrite10MB(b *testing.B) {
	k := newMaker(44, model.TypeFloat32)
	x := k.input(64, 64, 3)
	for range 4 {
		x = k.maxPool(k.conv(x, 264, square(3, 1).same()), square(2, 2))
	}
	m := k.Model(k.Name(k.conv(x, 264, square(3, 1).same()), "map"))
	file, err := m.Write()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	for range b.N {
		m, err := model.Read(file)
		if err != nil {
			b.Fatal(err)
		}
		r, err := Rewrite(m, "00", Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Model.Write(); err != nil {
			b.Fatal(err)
		}
	}
}
