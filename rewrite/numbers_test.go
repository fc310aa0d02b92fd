package rewrite

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"edged/model"
	"edged/train/nets"
)

// A net that gives what is not a number is equivalent to nothing, not even to
// itself: bit for bit it would be.
func TestNetsWithoutNumbersAreRefuted(t *testing.T) {
	file, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		value float32
		all   bool
		says  string
	}{
		"a NaN weight":      {float32(math.NaN()), false, "holds NaN at element 0"},
		"weights too large": {math.MaxFloat32, true, "not a number: tensor"},
	} {
		m, err := model.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		g := m.Subgraphs[0]
		for i := len(g.Operators) - 1; i >= 0; i-- {
			op := g.Operators[i]
			if code := m.Code(op).Builtin; code != model.OpConv2D && code != model.OpFullyConnected {
				continue
			}
			data := m.Buffers[g.Tensors[op.Inputs[1]].Buffer].Data
			for at := 0; at < len(data) && (at == 0 || c.all); at += 4 {
				binary.LittleEndian.PutUint32(data[at:], math.Float32bits(c.value))
			}
			break
		}
		base, dense := both(t, m, Options{Input: [2]int{40, 40}})
		for _, box := range []bool{false, true} {
			if r := verified(t, base, dense, VerifyOptions{Positions: 20, BlackBox: box}); r.Level != Refuted || !strings.Contains(r.Why, c.says) && box {
				t.Errorf("%s, black box %v: %+v", name, box, r)
			}
		}
	}
}
