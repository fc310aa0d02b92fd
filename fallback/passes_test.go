package fallback

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged"
	"edged/internal/kernel"
	"edged/internal/kernel/conv"
	"edged/model"
)

var update = flag.Bool("update", false, "write testdata/passes anew")

// passNets show what each pass does in few lines.
var passNets = map[string]func(g *grapher) []model.Ref{
	// Dilation, padding and an activation become a convolution's own.
	"fused": func(g *grapher) []model.Ref {
		x := g.SpaceToBatch(g.in(1, 10, 8, 4), [2]int{2, 2}, [2][2]int{{2, 2}, {2, 2}})
		x = g.BatchToSpace(g.Conv2D(x, g.weights(8, 3, 3, 4), g.bias(8), model.Conv2DOptions{Padding: model.PaddingValid}), [2]int{2, 2}, [2][2]int{})
		x = g.Pad(g.Unary(model.OpRelu6, x), [2]int{}, [2]int{0, 1}, [2]int{0, 1}, [2]int{})
		return one(g.DepthwiseConv2D(x, g.weights(1, 3, 3, 8), g.bias(8), model.DepthwiseConv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2}))
	},
	// A residual, whose convolution reads a tensor that gets a border.
	"residual": func(g *grapher) []model.Ref {
		a := g.pointwise(g.in(1, 6, 5, 3), 16)
		return one(g.Add(g.pointwise(g.depth(a, 3, 1, 16), 16), a, model.ActRelu))
	},
	// A max pool that Winograd computes, a concatenation in place, and a 1x1
	// convolution behind another convolution.
	"chained": func(g *grapher) []model.Ref {
		x := g.in(1, 66, 65, 16)
		a := g.Op(model.OpMaxPool2D, &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: 3, FilterWidth: 2}, x)
		a = g.Conv2D(a, g.weights(16, 3, 3, 16), g.bias(16), model.Conv2DOptions{})
		a = g.concat(3, a, g.pointwise(a, 4))
		return one(g.pointwise(g.halved(a, 24), 5))
	},
}

// halved is a 3x3 convolution with a stride, which Winograd cannot compute.
func (g *grapher) halved(x model.Ref, to int) model.Ref {
	return g.Conv2D(x, g.weights(to, 3, 3, g.Shape(x)[3]), g.bias(to), model.Conv2DOptions{StrideH: 1, StrideW: 2})
}

// TestPasses shows every pass by the operators, and then the steps, before and
// after it, for all variants whose convolutions run on rows.
func TestPasses(t *testing.T) {
	t.Setenv(conv.RatesVariable, "1,1,1,1") // Winograd pays, whatever this machine is
	eachKernel(t, func(t *testing.T) {
		for name, net := range passNets {
			t.Run(name, func(t *testing.T) { testPasses(t, filepath.Join("testdata", "passes", name+".txt"), net) })
		}
	})
}

func testPasses(t *testing.T, path string, net func(g *grapher) []model.Ref) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	got := passText(t, file(t, g.Builder, net(g)...))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("passes (-want +got):\n%s", d)
	}
}

func passText(t *testing.T, data []byte) string {
	m, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kernel.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newPlanner(k, m, edged.Options{Threads: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	last := s.text()
	fmt.Fprintf(&out, "operators\n%s", last)
	for _, p := range passes {
		if err := p.run(s); err != nil {
			t.Fatal(err)
		}
		text := s.text()
		fmt.Fprintf(&out, "\nafter %s\n", p.name)
		if text == last {
			text = "as before\n"
		} else {
			last = text
		}
		out.WriteString(text)
	}
	return out.String()
}

// text is the state as a person would draw it: operators until there are steps.
func (s *planner) text() string {
	var b strings.Builder
	for _, n := range s.f.nodes {
		if n != nil && len(s.p.steps) == 0 {
			fmt.Fprintf(&b, "  %d %v %v -> %v%s\n", n.index, n.code.Builtin, n.in, n.out, n.fused.text())
		}
	}
	for i := range s.p.steps {
		b.WriteString(s.p.stepText(&s.p.steps[i]))
	}
	readers, writers := s.p.users()
	for _, t := range append(slices.Clone(s.p.tensors), s.p.scratch...) {
		if len(readers[t.memory()])+len(writers[t.memory()]) > 0 && t.shape != nil {
			fmt.Fprintf(&b, "  %s %v%s\n", s.p.called(t), t.shape, t.text())
		}
	}
	return b.String()
}

func (f fused) text() (s string) {
	if f.dilate != unfused.dilate {
		s += fmt.Sprintf(" dilation %v", f.dilate)
	}
	if f.pads != nil {
		s += fmt.Sprintf(" pads %v", *f.pads)
	}
	if f.lo != unfused.lo || f.hi != unfused.hi {
		s += fmt.Sprintf(" clamp [%g, %g]", f.lo, f.hi)
	}
	if f.residual != nil {
		s += fmt.Sprintf(" residual %d", f.residual.other)
	}
	if f.deferrable {
		s += " deferrable"
	}
	return s
}

// stepText is a step: what it does, and what it can do with borders and gaps.
func (p *plan) stepText(s *step) string {
	list := func(ts []*tensor) (names []string) {
		for _, t := range ts {
			names = append(names, p.called(t))
		}
		return names
	}
	r, w := s.can.reads, s.can.writes
	return fmt.Sprintf("  %d %s: %v -> %v, %d units; reads border %v gaps %v, writes border %v gaps %v\n", s.op, s.how, list(s.reads), list(s.writes), s.units,
		list(r.border), list(r.gaps), w.border, w.gaps)
}

// called is a tensor's index, or its number among those between two steps of an
// operator.
func (p *plan) called(t *tensor) string {
	if t.index >= 0 {
		return fmt.Sprint(t.index)
	}
	return fmt.Sprint("area", slices.Index(p.scratch, t))
}

// text is how t lies in memory.
func (t *tensor) text() string {
	s := t.slot()
	if t.border != (border{}) {
		s += fmt.Sprintf(" border %v", t.border)
	}
	if t.last >= 0 && t.root == nil {
		s += fmt.Sprintf(" at %d, %d bytes, steps %d to %d", t.offset, t.bytes, t.first, t.last)
	}
	return s
}

// slot is where t lies in a concatenation.
func (t *tensor) slot() string {
	if t.view == nil {
		return ""
	}
	return fmt.Sprintf(" in %d from %d on along axis %d", t.root.index, t.view.at, t.view.axis)
}
