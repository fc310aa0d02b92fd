package main

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"edged/internal/eval"
	"edged/model"
	"edged/train/data"
	"edged/train/nets"
	"edged/tune"
)

func tiny() plan {
	p := small()
	p.w, p.h, p.judged = 72, 60, 2
	return p
}

// What is learnt from and what is judged by never meet, and the scene differs from
// the belt that the bundled nets know: they are worse on it.
func TestTheSceneIsAnother(t *testing.T) {
	p := tiny()
	if last := data.ChangedSeed + 1000*full().seeds + 32; last >= data.ChangedJudgeSeed {
		t.Errorf("seeds up to %d are learnt from, from %d on are judged by", last, data.ChangedJudgeSeed)
	}
	a, err := p.labelled(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.labelled(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if string(a[0].Pix) == string(b[0].Pix) || len(a[0].Mask) != p.w*p.h {
		t.Error("two seeds learn from one frame")
	}
	file, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	base, err := model.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.judge(context.Background(), base)
	if err != nil || !(s.dense < 0.6) || !(s.dense > s.own-0.1) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTableIsHonest(t *testing.T) {
	p := tiny()
	rows := []*row{{way: "one", frames: 1, scores: []score{{0.5, 0.4, 0.3, 0.2}, {0.7, 0.4, 0.3, 0.2}}, steps: []float64{8, 16}, took: []float64{1, 3}}, {way: "two", frames: 4}}
	text := string(p.table(score{0.1, 0.2, 0.3, 0.4}, rows, time.Minute, true))
	for _, want := range []string{"| one | 1 | 2 | 60.0 ± 14.1 |", "| two | 4 | 0 | not run |", "Cut short", "| 12 ± 6 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(p.table(score{}, nil, 0, false)), "Cut short") {
		t.Error("a whole table says that it was cut short")
	}
	r := &tune.Result{Epochs: []tune.Epoch{{Epoch: 0, MIoU: 0.2}, {Epoch: 1, MIoU: 0.77}, {Epoch: 2, MIoU: 0.8}}}
	if n := stepsTo(r, 8); n != 8 {
		t.Errorf("%d steps to 95 %%", n)
	}
	if !math.IsNaN(value(nil)) {
		t.Error("what was not measured has a value")
	}
	var _ eval.Samples = judgedFrames{}
}
