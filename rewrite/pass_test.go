package rewrite

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/model"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/passes anew")

// passNet shows what each pass does in few lines: a strided SAME convolution,
// a padded max pool, a join.
func passNet() *model.Model {
	b := newMaker(51, model.TypeFloat32)
	b.whole = true
	x := b.conv(b.input(13, 12, 1), 2, square(3, 2).same())
	x = b.maxPool(x, square(3, 2).same())
	x = b.add(b.conv(x, 2, square(3, 1).same().bare()), x)
	return b.Model(b.Name(b.conv(x, 1, square(2, 1).bare()), "map"))
}

// headNet is a classifier whose head becomes windows.
func headNet() *model.Model {
	b := newMaker(52, model.TypeFloat32)
	b.whole = true
	x := b.maxPool(b.conv(b.input(12, 12, 1), 2, square(3, 1)), square(2, 2))
	s := b.Shape(x)
	x = b.fc(b.Reshape(x, 1, s[1]*s[2]*s[3]), 3)
	return b.Model(b.Name(b.Softmax(b.fc(x, 2)), "probabilities"))
}

// TestPasses shows every pass by the state before and after it: the net of
// maps, and, once it is written, the graph.
func TestPasses(t *testing.T) {
	for _, c := range []struct {
		name string
		m    *model.Model
		o    Options
	}{
		{"dilated", passNet(), Options{Form: Dilated}},
		{"fragments", passNet(), Options{Form: Fragments}},
		{"shifts", passNet(), Options{Form: Shifts, OutputStride: [2]int{2, 2}}},
		{"head", headNet(), Options{Input: [2]int{16, 15}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := passText(t, c.m, c.o)
			path := filepath.Join("testdata", "passes", c.name+".txt")
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
				t.Errorf("passes of %s (-want +got):\n%s", c.name, d)
			}
		})
	}
}

func passText(t *testing.T, m *model.Model, o Options) string {
	t.Helper()
	var out strings.Builder
	s := &state{opts: o, sha: "00", base: m, result: &Result{}}
	last := graphText(t, m)
	fmt.Fprintf(&out, "baseline\n%s", last)
	for _, p := range passes[:len(passes)-1] {
		if err := p.run(s); err != nil {
			t.Fatal(err)
		}
		text := s.text(t)
		if text == last {
			text = "as before\n"
		} else {
			last = text
		}
		fmt.Fprintf(&out, "\nafter %s\n%s", p.name, text)
	}
	return out.String()
}

// text is the state as a person would draw it.
func (s *state) text(t *testing.T) string {
	switch {
	case s.graph != nil:
		return graphText(t, s.graph.m)
	case s.net != nil:
		return s.netText()
	}
	return graphText(t, s.work)
}

func graphText(t *testing.T, m *model.Model) string {
	var b bytes.Buffer
	if err := m.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var kindNames = map[kind]string{kindPoint: "point", kindConv: "conv", kindMax: "max", kindMean: "mean", kindAverage: "average", kindPad: "pad",
	kindCrop: "crop", kindGlobal: "global", kindFlat: "flat", kindRows: "rows", kindUp: "up", kindMixed: "mixed"}

func (s *state) netText() string {
	var b strings.Builder
	for _, nd := range s.net.nodes {
		w, v := nd.win, nd.out[0]
		fmt.Fprintf(&b, "  %d %s %s: k%v s%v d%v pads%v%v", nd.index, nd.code, kindNames[nd.kind], w.k, w.s, w.d, w.a, w.b)
		if g := v.grid; g[0].e > 0 {
			fmt.Fprintf(&b, "; eST (%d,%d) origin (%d,%d) field (%d,%d) length (%d,%d)", g[0].e, g[1].e, g[0].o, g[1].o, g[0].r, g[1].r, g[0].n, g[1].n)
		}
		if s.dense != nil {
			d := s.dense.steps[nd].win
			fmt.Fprintf(&b, "; dense s%v d%v pads%v%v length %v", d.s, d.d, d.a, d.b, s.dense.maps[v].n)
		}
		b.WriteString("\n")
	}
	if s.contract != "" {
		fmt.Fprintf(&b, "  contract %s\n", s.contract)
	}
	return b.String()
}
