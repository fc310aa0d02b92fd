package rewrite

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"edged/internal/enginetest"
	"edged/model"
)

// hostileNets are the nets whose mutants are rewritten: every way of reading an
// operator is in one of them.
func hostileNets() []*model.Model {
	nets := []*model.Model{handNet(), passNet(), headNet()}
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		nets = append(nets, vggLike(typ), mobileNetLike(typ, true), validMobile(typ, false))
	}
	for seed := range uint64(60) {
		if m := draw(seed); m != nil {
			nets = append(nets, m)
		}
	}
	return nets
}

// TestMutatedNets changes one to three things of a net, so that it still parses
// and lies about itself: rewriting answers, and no panic is recovered on the way.
func TestMutatedNets(t *testing.T) {
	nets := hostileNets()
	for seed := range uint64(randomNets(1500, 100_000)) {
		r := rand.New(rand.NewPCG(7, seed))
		file, err := damaged(nets[r.IntN(len(nets))].Clone(), r)
		if err != nil {
			continue
		}
		begun := time.Now()
		if what, err := answers(file, r); err != nil {
			t.Errorf("seed %d: %s: %v", seed, what, err)
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Logf("seed %d: %v", seed, d)
		}
	}
}

// damaged is the file of a changed graph, or a changed file.
func damaged(m *model.Model, r *rand.Rand) ([]byte, error) {
	bytes := r.IntN(3) == 0
	for range 1 + r.IntN(3) {
		if !bytes {
			enginetest.Mutate(m, r)
		}
	}
	file, err := m.Write()
	if !bytes || err != nil {
		return file, err
	}
	for range 1 + r.IntN(4) {
		at := 8 + r.IntN(len(file)-8)
		switch r.IntN(3) {
		case 0:
			file[at] ^= 1 << r.IntN(8)
		case 1:
			file[at] = byte(r.IntN(8))
		case 2:
			binary.LittleEndian.PutUint32(file[at&^3-4:], uint32(r.IntN(64))-32)
		}
	}
	return file, nil
}

// answers puts a file through all that takes a graph apart; the error is a bug.
func answers(file []byte, r *rand.Rand) (what string, err error) {
	m, err := model.Read(file)
	if err != nil {
		return "", nil
	}
	isBug := func(err error) bool { return err != nil && strings.Contains(err.Error(), "BUG") }
	for _, why := range Analyse(m).Why {
		if strings.Contains(why, "BUG") {
			return "analyse: " + why, errors.New("recovered")
		}
	}
	o := Options{Form: []Form{Auto, Dilated, Fragments, Shifts}[r.IntN(4)], Contract: []Contract{DefaultContract, Patch, Frame}[r.IntN(3)]}
	if r.IntN(2) == 0 {
		o.Input = [2]int{1 + r.IntN(60), 1 + r.IntN(60)}
	}
	if _, err := OutputStrides(m, o); isBug(err) {
		return "strides", err
	}
	res, err := Rewrite(m, "00", o)
	if isBug(err) {
		return "rewrite", err
	}
	if err == nil {
		if _, err := Inverse(res.Model); err != nil {
			return "inverse of what was rewritten", err
		}
	}
	return "", nil
}
