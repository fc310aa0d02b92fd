package rewrite

import (
	"errors"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/model"
)

// rowsOfModel compares a model's rows with its own run on all of its height.
func rowsOfModel(m *model.Model, open edged.Opener, seed uint64, o rows.Options, most int) error {
	b, err := m.Write()
	if err != nil {
		return err
	}
	w, err := open(b, o.Engine)
	if err != nil {
		return err
	}
	defer w.Close()
	in, err := runNoise(w, seed)
	if err != nil {
		return err
	}
	s, err := rows.Open(m, open, o)
	if err != nil {
		return err
	}
	defer s.Close()
	return likeTheWhole(s, w, in, most, seed)
}

// drawDecoder is random net number seed with layers that make its grid finer again,
// by whole factors, and sometimes a branch around them.
func drawDecoder(seed uint64) *model.Model {
	types := []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8}
	b := newMaker(seed, model.TypeFloat32)
	b.typ = types[b.r.IntN(len(types))]
	n := &randomNet{maker: b, e: pair{1, 1}}
	n.x = b.input(17+b.r.IntN(30), 9+b.r.IntN(16), 1+b.r.IntN(3))
	pads := b.r.IntN(2) == 0
	for range 1 + b.r.IntN(2) {
		n.layer(pads)
		if s := n.Shape(n.x); len(s) == 4 && s[1] < 60 {
			n.x = n.resize(n.x, s)
		}
	}
	n.layer(pads)
	m, err := b.Build(n.x)
	if err != nil {
		return nil
	}
	return m
}

// resize draws one of the ways to resize a map.
func (n *randomNet) resize(x model.Ref, s []int) model.Ref {
	f := []int{1, 2, 2, 3, 4, 5}[n.r.IntN(6)]
	if n.quantised() {
		f = []int{1, 2, 2, 4}[n.r.IntN(4)]
	}
	h, w := s[1]*f, s[2]*(1+n.r.IntN(3))
	mode := n.r.IntN(3)
	if mode == 1 {
		h, w = (s[1]-1)*f+1, (s[2]-1)*f+1
	}
	if d := 2 + n.r.IntN(2); n.r.IntN(4) == 0 && s[1]%d == 0 && s[1] > 3*d {
		h, mode = s[1]/d, mode&2
	}
	if n.r.IntN(3) == 0 {
		return n.ResizeNearest(x, h, w, model.ResizeNearestNeighborOptions{AlignCorners: mode == 1, HalfPixelCenters: mode == 2})
	}
	return n.ResizeBilinear(x, h, w, model.ResizeBilinearOptions{AlignCorners: mode == 1, HalfPixelCenters: mode == 2})
}

func decoderRows(t *testing.T, open edged.Opener, count int) {
	skipped := map[string]int{}
	part, of := shard(t)
	compared := 0
	for seed := 1 + part; compared < count; seed += of {
		m := drawDecoder(seed)
		if m == nil {
			skipped["no net"]++
			continue
		}
		r := rand.New(rand.NewPCG(seed, 29))
		delay := []int{-1, 0, r.IntN(9)}[r.IntN(3)]
		err := rowsOfModel(m, open, seed, rows.Options{Strip: 1 + r.IntN(24), Delay: delay, Engine: edged.Options{Threads: 1}}, 24)
		if why := (*rows.Refusal)(nil); errors.As(err, &why) {
			skipped[why.Op+" "+why.Reason]++
			continue
		}
		if err != nil {
			t.Fatalf("net %d: %v", seed, err)
		}
		compared++
	}
	t.Logf("%d nets with resizes equal themselves row by row; skipped: %v", compared, skipped)
	if n := sum(skipped) - skipped["no net"]; 4*n > compared {
		t.Errorf("too many refused: %v", skipped)
	}
}

// TestRowsOfResizes: rows behind resizes by whole factors, and at a picture's ends,
// are the whole picture's.
func TestRowsOfResizes(t *testing.T) { decoderRows(t, fallback.Open, randomNets(t, rowsNets, 5000)) }

// windowRows is one random patch classifier by rows of windows.
func windowRows(seed uint64, open edged.Opener) (skipped string, err error) {
	m := drawPatch(seed)
	if m == nil {
		return "no net", nil
	}
	o := windowOptions(m, seed)
	r := rand.New(rand.NewPCG(seed, 31))
	frame := pair{o.Input[0] + r.IntN(40), o.Input[1]}
	dense, whole, err := tileOf(m, o, frame)
	if asRefusal(err) != nil {
		return "refused", nil
	}
	if err != nil {
		return "", err
	}
	return "", rowsAgain(dense, whole, open, seed, rows.Options{Strip: 1 + r.IntN(20), Delay: -1, Engine: edged.Options{Threads: 1}})
}

func windowNets(t *testing.T, open edged.Opener, count int) {
	skipped := map[string]int{}
	part, of := shard(t)
	compared := 0
	for seed := 1 + part; compared < count; seed += of {
		why, err := windowRows(seed, open)
		switch {
		case err != nil:
			t.Fatalf("net %d: %v", seed, err)
		case why != "":
			skipped[why]++
		default:
			compared++
		}
	}
	t.Logf("%d nets by rows of windows equal the whole frame's; skipped: %v", compared, skipped)
}

// TestRowsBetweenWindows: windows further apart than they are high leave rows unseen.
func TestRowsBetweenWindows(t *testing.T) {
	if why, err := windowRows(3691, fallback.Open); why != "" || err != nil {
		t.Errorf("%s, %v", why, err)
	}
}

// TestRowsOfWindows: a file of the form windows row of windows by row of windows.
func TestRowsOfWindows(t *testing.T) { windowNets(t, fallback.Open, randomNets(t, rowsNets/2, 5000)) }
