package rewrite

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"edged/fallback"
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
	part, of := shard(t)
	for k := range uint64(randomNets(t, 800, 100_000)) {
		seed := k*of + part
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

// TestMutatedWaysBack: what the manifest says of the way back is a stranger's
// word, and a dense graph may have lost anything.
func TestMutatedWaysBack(t *testing.T) {
	var dense []*model.Model
	for _, m := range hostileNets()[:12] {
		if res, err := Rewrite(m, "00", Options{Contract: Frame}); err == nil {
			dense = append(dense, res.Model)
		}
	}
	back := 0
	part, of := shard(t)
	for k := range uint64(randomNets(t, 800, 100_000)) {
		seed := k*of + part
		r := rand.New(rand.NewPCG(8, seed))
		m := dense[r.IntN(len(dense))].Clone()
		if r.IntN(2) == 0 {
			enginetest.Mutate(m, r)
		} else if err := mutateRecipe(m, r); err != nil {
			t.Fatal(err)
		}
		if base, err := Inverse(m); err == nil {
			back++
			if _, err := base.Write(); err != nil {
				t.Errorf("seed %d: a way back that cannot be written: %v", seed, err)
			}
		}
	}
	if back == 0 {
		t.Error("no way back at all: this test looks at nothing")
	}
}

// TestMutatedProofs: verify answers, whatever either file has become. In the seeds
// that are always tried an operator has lost its options.
func TestMutatedProofs(t *testing.T) {
	nets := hostileNets()
	part, of := shard(t)
	seeds := []uint64{8115, 8161, 9953}
	for k := range uint64(randomNets(t, 60, 10_000)) {
		seeds = append(seeds, k*of+part)
	}
	for _, seed := range seeds {
		r := rand.New(rand.NewPCG(9, seed))
		base := nets[r.IntN(len(nets))]
		files, ok := mutatedPair(base, seed, r)
		if !ok {
			continue
		}
		rep, err := Verify(files[0], files[1], fallback.Open, VerifyOptions{Positions: 8})
		if err != nil && strings.Contains(err.Error(), "BUG") || err == nil && strings.Contains(rep.Why, "BUG") {
			t.Errorf("seed %d: %+v, %v", seed, rep, err)
		}
	}
}

// mutatedPair is a baseline and its rewriting, one of them altered.
func mutatedPair(base *model.Model, seed uint64, r *rand.Rand) (files [2][]byte, ok bool) {
	res, err := Rewrite(base, "00", Options{Contract: Frame})
	if err != nil {
		return files, false
	}
	for i, m := range []*model.Model{base.Clone(), res.Model.Clone()} {
		if i == int(seed%2) {
			enginetest.Mutate(m, r)
		}
		if files[i], err = m.Write(); err != nil {
			return files, false
		}
	}
	return files, true
}

// mutateRecipe changes one number of a dense graph's way back, or its graph.
func mutateRecipe(m *model.Model, r *rand.Rand) error {
	f, err := m.Manifest()
	if err != nil {
		return err
	}
	var way recipe
	if err := json.Unmarshal(f.Inverse, &way); err != nil {
		return err
	}
	w := &way.Weights[r.IntN(len(way.Weights))]
	switch r.IntN(5) {
	case 0:
		w.Tensor = int32(r.IntN(200) - 20)
	case 1:
		w.Name, w.Index = "", int32(r.IntN(200)-20)
	case 2:
		w.Perm = [][]int{{2, 0, 1}, {}, {0, 1}, {0, 0, 1}, {-1, 1, 2}, {1, 2, 3}}[r.IntN(6)]
	case 3:
		way.Structure = way.Structure[:r.IntN(len(way.Structure))]
	case 4:
		structure, err := inflate(way.Structure)
		if err != nil {
			return err
		}
		base, err := model.Read(structure)
		if err != nil {
			return err
		}
		if enginetest.Mutate(base, r); r.IntN(4) == 0 {
			base.Subgraphs, base.SignatureDefs = nil, nil
		}
		file, err := base.Write()
		if err != nil {
			return nil
		}
		if way.Structure, err = deflate(file); err != nil {
			return err
		}
	}
	if f.Inverse, err = json.Marshal(way); err != nil {
		return err
	}
	return m.SetManifest(f)
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
