package quantize

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// Options are what Net is told beside the net and the pictures.
type Options struct {
	IO       edged.DType  // of input and outputs: Int8, Uint8, Float32
	Open     edged.Opener // the engine that learns and judges
	Threads  int
	Progress func(what string, done, total int) // may be nil
}

// Result is a finished quantisation.
type Result struct {
	Model  *model.Model
	Report Report
}

// Net quantises m. Three pictures of four are learnt from, the fourth is kept
// back to judge by. The error is a *Refusal where the net cannot be quantised.
func Net(ctx context.Context, m *model.Model, p Pictures, o Options) (*Result, error) {
	if p.Len() == 0 {
		return nil, errors.New("quantize: no pictures to learn the ranges from")
	}
	base, dense, err := baselineOf(m)
	if err != nil {
		return nil, err
	}
	if base, err = plain(base); err != nil {
		return nil, err
	}
	if err := check(base); err != nil {
		return nil, err
	}
	f, err := formOf(base, dense, p)
	if err != nil {
		return nil, err
	}
	j := &judge{runner: runner{ctx: ctx, open: o.Open, threads: max(1, o.Threads), p: p, windows: f.windows}, f: f, progress: o.Progress}
	if err := j.main(m, base); err != nil {
		return nil, err
	}
	best, err := j.choose()
	if err != nil {
		return nil, err
	}
	if err := equalise(base, best.rescales); err != nil {
		return nil, err
	}
	q, err := finish(base, dense, best.recipe, o.IO)
	if err != nil {
		return nil, err
	}
	rep, err := j.report(best, base)
	if err != nil {
		return nil, err
	}
	return &Result{q, *rep}, nil
}

// baselineOf gives the net to be quantised: of a dense net that edged rewrite
// made, its baseline, and the dense net beside.
func baselineOf(m *model.Model) (base, dense *model.Model, err error) {
	f, err := m.Manifest()
	if err != nil {
		return nil, nil, err
	}
	if f == nil || f.Form == "" {
		return m, nil, nil
	}
	if len(f.Inverse) == 0 {
		return nil, nil, &rewrite.Refusal{Reason: "the dense net carries no way back to its baseline in its manifest", Instead: "rewrite it again with edged rewrite, or quantise the baseline"}
	}
	base, err = rewrite.Inverse(m)
	return base, m, err
}

// finish quantises the net by its own names, and makes it dense again where it
// was.
func finish(base, dense *model.Model, r *Recipe, io edged.DType) (*model.Model, error) {
	named := base.Clone()
	names := numbered(named)
	q, err := apply(named, r)
	if err != nil {
		return nil, err
	}
	for _, t := range q.Subgraphs[0].Tensors {
		rename(t, names)
	}
	if err := withIO(q, io); err != nil {
		return nil, err
	}
	if err := forget(q); err != nil {
		return nil, err
	}
	if dense == nil {
		return q, nil
	}
	file, err := q.Write()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(file)
	again, err := rewrite.Again(q, hex.EncodeToString(sum[:]), dense)
	if err != nil {
		return nil, fmt.Errorf("quantize: the int8 baseline cannot be made dense as the float32 one was: %w", err)
	}
	return again.Model, nil
}

// rename gives a tensor the name that it had; what was put in stands behind it.
func rename(t *model.Tensor, names map[string]string) {
	if old, ok := names[t.Name]; ok {
		t.Name = old
		return
	}
	if n := len(t.Name) - len(added); n > 0 && t.Name[n:] == added {
		t.Name = names[t.Name[:n]] + added
	}
}
