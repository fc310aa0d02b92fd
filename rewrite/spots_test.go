package rewrite

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// answerOf runs a dense file on a picture of noise.
func answerOf(t *testing.T, dense []byte, seed uint64) (Running, Answer) {
	t.Helper()
	e, err := fallback.Open(dense, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := make([]byte, e.Inputs()[0].Bytes())
	fillRandom(in, e.Inputs()[0].Type, newRandom(seed), false)
	copy(e.Input(0), in)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return Running{Input: e.Inputs()[0], Outputs: e.Outputs()}, Answer{in, bytes.Clone(e.Output(0))}
}

// seen asks about an answer n times: what was compared, and what differed.
func seen(t *testing.T, s *Spots, a Answer, m Margin, n int) (all Spot) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		spot, err := s.Check(a, m, r)
		if err != nil {
			t.Fatal(err)
		}
		if spot.Positions == 0 {
			t.Fatal("a run that compares nothing")
		}
		all.Positions += spot.Positions
		all.Differing += spot.Differing
		all.Largest = max(all.Largest, spot.Largest)
	}
	return all
}

// A file's own baseline agrees with what the file says, in every form and
// contract; it differs where the file that answers has another weight than the
// one that the baseline was made from.
func TestSpotsAgreeWithTheirOwnFileAlone(t *testing.T) {
	for name, c := range map[string]struct {
		m *model.Model
		o Options
	}{
		"patches":              {vggLike(model.TypeFloat32), Options{Input: [2]int{34, 37}}},
		"patches, int8":        {vggLike(model.TypeInt8), Options{Input: [2]int{34, 37}}},
		"fragments":            {vggLike(model.TypeInt8), Options{Input: [2]int{34, 37}, Form: Fragments}},
		"patches, coarse":      {vggLike(model.TypeInt8), Options{Input: [2]int{34, 38}, OutputStride: [2]int{2, 4}}},
		"map without padding":  {poolNet(1, model.TypeInt8, 40, 36), Options{}},
		"map with padding":     {resNetLike(), Options{}},
		"R above the frame":    {mobileNetLike(model.TypeInt8, false), Options{Input: [2]int{40, 44}, Contract: Frame}},
		"decoder, by shifts":   {uNetLike(2), Options{Form: Shifts}},
		"global, by shifts":    {squeezeExcite(), Options{Form: Shifts}},
		"windows":              {mobileNetLike(model.TypeInt8, false), Options{Form: Windows, Input: [2]int{44, 53}, OutputStride: [2]int{4, 7}}},
		"windows, float":       {mobileNetLike(model.TypeFloat32, true), Options{Form: Windows, Input: [2]int{44, 53}, OutputStride: [2]int{3, 3}}},
		"windows, global":      {validMobile(model.TypeFloat32, false), Options{Form: Windows, Input: [2]int{40, 41}, OutputStride: [2]int{2, 2}}},
		"slid over, by shifts": {mobileNetLike(model.TypeFloat32, true), Options{Form: Shifts, Contract: Frame}},
	} {
		t.Run(name, func(t *testing.T) {
			_, dense := both(t, c.m, c.o)
			base := inverseOf(t, dense)
			as, right := answerOf(t, dense, 7)
			_, wrong := answerOf(t, withWeights(t, dense, negated), 7)
			s, err := OpenSpots(base, dense, as, fallback.Open)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			margin := Margin{}
			if as.Outputs[0].Type == edged.Float32 {
				margin.Score = 1e-4
			}
			if got := seen(t, s, right, margin, 60); got.Differing != 0 {
				t.Errorf("the right file: %+v", got)
			}
			if got := seen(t, s, wrong, margin, 60); got.Differing == 0 {
				t.Errorf("another weight: %+v", got)
			}
		})
	}
}

// negated turns the sign of floats, and of every fourth byte.
func negated(b []byte) {
	for i := 3; i < len(b); i += 4 {
		b[i] ^= 0x80
	}
}

func inverseOf(t *testing.T, dense []byte) []byte {
	t.Helper()
	d, err := model.Read(dense)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Inverse(d)
	if err != nil {
		t.Fatal(err)
	}
	base, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// withWeights changes the weights of the first convolution.
func withWeights(t *testing.T, file []byte, change func(b []byte)) []byte {
	t.Helper()
	m, err := model.Read(bytes.Clone(file))
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	i := slices.IndexFunc(g.Operators, func(o *model.Operator) bool { return m.Code(o).Builtin == model.OpConv2D })
	data := bytes.Clone(m.Data(g.Tensors[g.Operators[i].Inputs[1]]))
	change(data)
	m.Buffers[g.Tensors[g.Operators[i].Inputs[1]].Buffer] = &model.Buffer{Data: data}
	out, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Across engines scores may differ by more than the margin; what counts is a
// class that the baseline is surer of than that.
func TestSpotsAcrossEnginesCountClasses(t *testing.T) {
	_, dense := both(t, vggLike(model.TypeFloat32), Options{Input: [2]int{34, 37}})
	as, right := answerOf(t, dense, 7)
	s, err := OpenSpots(inverseOf(t, dense), dense, as, fallback.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shifted := Answer{right.Input, bytes.Clone(right.Output)}
	scores := edged.View[float32](shifted.Output)
	for i := range scores {
		scores[i] += 0.3 // every class alike
	}
	if got := seen(t, s, shifted, Margin{Score: 0.01}, 20); got.Differing == 0 {
		t.Error("on one engine scores count")
	}
	if got := seen(t, s, shifted, Margin{Score: 0.01, Classes: true}, 20); got.Differing != 0 || got.Largest < 0.29 {
		t.Errorf("no class has changed: %+v", got)
	}
	for i := 0; i < len(scores); i += 4 {
		slices.Reverse(scores[i : i+4])
	}
	if got := seen(t, s, shifted, Margin{Score: 0.01, Classes: true}, 20); got.Differing == 0 {
		t.Error("every class has changed")
	}
}

// A file whose outputs are not the baseline's is told, not compared.
func TestSpotsRefuseWhatTheyCannotCompare(t *testing.T) {
	_, dense := both(t, vggLike(model.TypeFloat32), Options{Input: [2]int{34, 37}})
	as, _ := answerOf(t, dense, 7)
	as.Outputs = slices.Clone(as.Outputs)
	as.Outputs[0].Shape = []int{1, 2, 2, 4}
	if s, err := OpenSpots(inverseOf(t, dense), dense, as, fallback.Open); err == nil {
		s.Close()
		t.Error("another shape was taken")
	}
}
