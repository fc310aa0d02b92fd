package rewrite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/internal/tiles"
)

// rowsNets is how many random nets are computed row by row.
const rowsNets = 60

// pushAll feeds a picture in strips of random heights, up to most rows, and gives
// the map.
func pushAll(s edged.Rows, picture []byte, r *rand.Rand, most int) ([]byte, error) {
	in := s.In()
	row := in.Bytes() / in.Shape[1]
	var all []byte
	take := func(n int, err error) error {
		if out := s.Out(); err == nil && n*out.Bytes()/out.Shape[1] != len(s.Output()) {
			return fmt.Errorf("%d rows decided, and %d bytes", n, len(s.Output()))
		}
		all = append(all, s.Output()...)
		return err
	}
	for len(picture) > 0 {
		n := min(1+r.IntN(min(most, in.Shape[1])), len(picture)/row)
		copy(s.Input(), picture[:n*row])
		picture = picture[n*row:]
		if err := take(s.Push(n)); err != nil {
			return nil, err
		}
	}
	return all, take(s.End())
}

// rowsAgain compares a net's rows with the whole frame's run.
func rowsAgain(dense, whole *Result, open edged.Opener, seed uint64, o rows.Options) error {
	b, err := whole.Model.Write()
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
	s, err := rows.Open(dense.Model, open, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := likeTheWhole(s, w, in, whole.Outputs[0].Field[0]+3, seed); err != nil {
		return fmt.Errorf("%+v: %w", o, err)
	}
	if !exactNet(dense) {
		return nil
	}
	b, err = dense.Model.Write()
	if err != nil {
		return err
	}
	e, err := open(b, o.Engine)
	if err != nil {
		return err
	}
	defer e.Close()
	n, err := tiles.NetOf(dense.Model, e.Outputs()[0].Shape)
	if err != nil {
		return err
	}
	cut, err := tiles.OpenRows(e, n, 0, o.Strip)
	if err != nil {
		return err
	}
	return likeTheWhole(cut, w, in, whole.Outputs[0].Field[0]+3, seed)
}

// likeTheWhole compares the map of two pictures, pushed strip by strip, with the
// whole picture's, which w holds.
func likeTheWhole(s edged.Rows, w edged.Engine, in []byte, most int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 17))
	for pass := range 2 { // the second picture knows nothing of the first
		got, err := pushAll(s, in, r, most)
		if err != nil {
			return err
		}
		spec := s.Out()
		spec.Shape[1] = len(got) / (spec.Bytes() / spec.Shape[1])
		if err := sameMaps(w.Outputs()[0], spec, w.Output(0), got); err != nil {
			return fmt.Errorf("%s, picture %d: %w", s.Name(), pass, err)
		}
	}
	return nil
}

// rowsRandom is one random net row by row.
func rowsRandom(seed uint64, open edged.Opener) (skipped string, err error) {
	m := draw(seed)
	if m == nil {
		return "no net", nil
	}
	r := rand.New(rand.NewPCG(seed, 23))
	size := sizeOf(m)
	o := Options{Form: []Form{Dilated, Fragments}[r.IntN(2)]}
	frame := pair{size[0] + strideLCM, size[1]}
	dense, whole, err := tileOf(m, o, frame)
	if asRefusal(err) != nil || err == nil && !exactNet(dense) {
		o.Contract, o.Form = Frame, Dilated
		dense, whole, err = tileOf(m, o, frame)
	}
	if asRefusal(err) != nil {
		return "no dense net", nil
	}
	if err != nil {
		return "", err
	}
	if exactNet(dense) {
		width := size[1] + r.IntN(9)
		o.Input = pair{size[0] + 1 + r.IntN(9), width}
		if dense, whole, err = tileOf(m, o, pair{size[0] + r.IntN(90), width}); err != nil {
			return "", err
		}
	}
	delay := []int{-1, 0, r.IntN(9)}[r.IntN(3)]
	err = rowsAgain(dense, whole, open, seed, rows.Options{Strip: 1 + r.IntN(whole.Outputs[0].Field[0]+3), Delay: delay, Engine: edged.Options{Threads: 1}})
	if why := (*rows.Refusal)(nil); errors.As(err, &why) {
		return why.Op + " " + why.Reason, nil
	}
	return "", err
}

func rowNets(t *testing.T, open edged.Opener, count int) {
	skipped := map[string]int{}
	compared := 0
	part, of := shard(t)
	for seed := 1 + part; compared < count; seed += of {
		why, err := rowsRandom(seed, open)
		switch {
		case err != nil:
			t.Fatalf("net %d: %v", seed, err)
		case why != "":
			skipped[why]++
		default:
			compared++
		}
	}
	t.Logf("%d nets row by row equal the whole frame's; skipped: %v", compared, skipped)
	if n := skipped["no net"] + skipped["no dense net"]; len(skipped) > 0 && 4*(sum(skipped)-n) > compared {
		t.Errorf("too many refused: %v", skipped)
	}
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// TestRowsOfRandomNets: rows that are computed strip by strip, of any heights, are
// the whole picture's.
func TestRowsOfRandomNets(t *testing.T) { rowNets(t, fallback.Open, randomNets(t, rowsNets, 5000)) }
