package rewrite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/tiles"
	"edged/model"
)

// tilesNets is how many random nets are cut into tiles.
const tilesNets = 45

// strideLCM is a multiple of every random net's whole stride: at sizes that differ
// by it pads are resolved alike.
const strideLCM = 72

// tileOf rewrites m for tiles of its own size and for the frame.
func tileOf(m *model.Model, o Options, frame pair) (tile, whole *Result, err error) {
	if tile, err = Rewrite(m, "00", o); err != nil {
		return nil, nil, err
	}
	o.Input = frame
	whole, err = Rewrite(m, "00", o)
	return tile, whole, err
}

// runNoise runs an engine on noise of a seed.
func runNoise(e edged.Engine, seed uint64) ([]byte, error) {
	in, s := e.Input(0), e.Inputs()[0]
	r := rand.New(rand.NewPCG(seed, 3))
	if s.Type == edged.Float32 {
		for i, v := 0, edged.View[float32](in); i < len(v); i++ {
			v[i] = r.Float32()*4 - 2
		}
	} else {
		for i := range in {
			in[i] = byte(r.Uint32())
		}
	}
	return in, e.Run()
}

// tiledAgain compares a net's tiles with the whole frame's run, both on open.
func tiledAgain(tile, whole *Result, open edged.Opener, seed uint64) error {
	opened := func(r *Result) (edged.Engine, error) {
		b, err := r.Model.Write()
		if err != nil {
			return nil, err
		}
		return open(b, edged.Options{Threads: 1})
	}
	w, err := opened(whole)
	if err != nil {
		return err
	}
	defer w.Close()
	e, err := opened(tile)
	if err != nil {
		return err
	}
	axes, err := tiles.NetOf(tile.Model, e.Outputs()[0].Shape)
	if err != nil {
		e.Close()
		return err
	}
	frame := w.Inputs()[0].Shape
	cut, err := tiles.Open(e, axes, 0, frame[1], frame[2])
	if err != nil {
		e.Close()
		return err
	}
	defer cut.Close()
	in, err := runNoise(w, seed)
	if err != nil {
		return err
	}
	copy(cut.Input(0), in)
	if err := cut.Run(); err != nil {
		return err
	}
	return sameMaps(w.Outputs()[0], cut.Outputs()[0], w.Output(0), cut.Output(0))
}

// sameMaps compares two maps: bytes are equal, floats within the engines' bound.
func sameMaps(want, got edged.Spec, a, b []byte) error {
	if fmt.Sprint(want.Shape) != fmt.Sprint(got.Shape) {
		return fmt.Errorf("a map of %v, the whole frame's is %v", got.Shape, want.Shape)
	}
	if want.Type != edged.Float32 {
		for i := range a {
			if a[i] != b[i] {
				return fmt.Errorf("byte %d is %d, the whole frame's %d, of %v", i, b[i], a[i], want.Shape)
			}
		}
		return nil
	}
	x, y := edged.View[float32](a), edged.View[float32](b)
	span := float32(1e-30)
	for _, v := range x {
		span = max(span, v, -v)
	}
	for i := range x {
		if d := x[i] - y[i]; !(max(d, -d) <= 1e-5*span) {
			return fmt.Errorf("value %d is %g, the whole frame's %g, of %v", i, y[i], x[i], want.Shape)
		}
	}
	return nil
}

// tileRandom is one random net in tiles; skipped: it has no dense file, or none
// that can be cut.
func tileRandom(seed uint64, open edged.Opener) (skipped string, err error) {
	m := draw(seed)
	if m == nil {
		return "no net", nil
	}
	r := rand.New(rand.NewPCG(seed, 9))
	size := sizeOf(m)
	frame := pair{size[0] + strideLCM, size[1] + strideLCM*r.IntN(2)}
	o := Options{Form: []Form{Dilated, Fragments}[r.IntN(2)]}
	tile, whole, err := tileOf(m, o, frame)
	if asRefusal(err) != nil {
		o.Contract = Frame
		tile, whole, err = tileOf(m, o, frame)
	}
	if asRefusal(err) != nil {
		return "refused", nil
	}
	if err != nil {
		return "", err
	}
	if exactNet(tile) { // any size
		if tile, whole, err = tileOf(m, o, pair{size[0] + 1 + r.IntN(60), size[1] + r.IntN(60)}); err != nil {
			return "", err
		}
	}
	err = tiledAgain(tile, whole, open, seed)
	if errors.Is(err, tiles.ErrNothingLeft) {
		return "nothing left", nil
	}
	return "", err
}

// exactNet tells whether tiles of it lie on frames of any size.
func exactNet(r *Result) bool {
	o := r.Outputs[0]
	n, err := tiles.NetOf(r.Model, []int{1, o.Size[0], o.Size[1], 1})
	return err == nil && n[0].Exact() && n[1].Exact()
}

// tileNets cuts random nets on an engine.
func tileNets(t *testing.T, open edged.Opener, count int) {
	skipped := map[string]int{}
	compared := 0
	for seed := uint64(1); compared < count; seed++ {
		why, err := tileRandom(seed, open)
		switch {
		case err != nil:
			t.Fatalf("net %d: %v", seed, err)
		case why != "":
			skipped[why]++
		default:
			compared++
		}
	}
	t.Logf("%d nets in tiles equal the whole frame's; skipped: %v", compared, skipped)
}

// TestTilesOfRandomNets: a map that is laid together of tiles is the whole
// frame's, of nets that pad and of nets that do not.
func TestTilesOfRandomNets(t *testing.T) { tileNets(t, fallback.Open, randomNets(t, tilesNets, 5000)) }
