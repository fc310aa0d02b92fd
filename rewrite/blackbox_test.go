package rewrite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"edged/fallback"
	"edged/internal/enginetest"
	"edged/model"
	"edged/train/nets"
)

// runnable are the alterations that leave a file which engines load; small steps
// are made more often.
func runnable() []alteration {
	var out []alteration
	for _, x := range graphAlterations() {
		switch x.name {
		case "an operator that nothing needs", "another graph beside it", "an output's shape", "half precision allowed", "a scale by an ulp":
			continue
		case "one weight by a hundredth", "one bias by ten", "one bias by a tenth":
			out = append(out, x)
		}
		out = append(out, x)
	}
	return out
}

// alteredFiles are so many altered files of a bundled net, dense on a frame.
func alteredFiles(t *testing.T, net string, frame [2]int, count int) (base []byte, files []pairOf) {
	t.Helper()
	base, err := nets.Read(net)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Rewrite(m, hashOf(base), Options{Input: frame, Contract: Frame})
	if err != nil {
		t.Fatal(err)
	}
	dense := written(t, r.Model)
	list := runnable()
	for seed := 0; len(files) < count && seed < 20*count; seed++ {
		x := list[seed*7%len(list)] // all kinds among a few files too
		b := altered(t, dense, x, uint64(seed))
		if b == nil || slices.ContainsFunc(files, func(p pairOf) bool { return slices.Equal(p.dense, b) }) {
			continue
		}
		if e, err := fallback.Open(b, proofOptions); err == nil {
			_ = e.Close()
			files = append(files, pairOf{fmt.Sprintf("%s (seed %d)", x.name, seed), base, b})
		}
	}
	return base, files
}

// TestTheRunAloneSeesAlteredFiles: structure refutes every one of them, but the
// run must not rot behind it. Files altered in what never matters on a picture,
// an ulp of one weight, pass it by right.
func TestTheRunAloneSeesAlteredFiles(t *testing.T) {
	frame, int8s, floats := [2]int{52, 56}, enginetest.Share(t, 12), enginetest.Share(t, 12)
	least := [2][2]int{{17, 24}, {13, 24}} // of few files on a small frame
	all, positions := 2, int64(0)
	if int8s < 12 {
		least = [2][2]int{{1, 3}, {1, 3}} // of a handful: the alterations are no processor's affair
		all, positions = 1, 400
	}
	if os.Getenv("EDGED_EXTENDED") == "1" {
		frame, int8s, floats = [2]int{128, 128}, 41, 53
		least = [2][2]int{{66, 82}, {60, 106}}
	}
	for _, c := range []struct {
		nets  []string
		count int
		least [2]int // files refuted, of so many
	}{
		{[]string{nets.ValidInt8, nets.SameInt8}, int8s, least[0]},
		{[]string{nets.Valid, nets.Same}, floats, least[1]},
	} {
		refuted, total := 0, 0
		for _, net := range c.nets[:all] {
			_, files := alteredFiles(t, net, frame, c.count)
			for _, p := range files {
				keepFile(t, net, total, p)
				total++
				r, err := Verify(p.base, p.dense, fallback.Open, VerifyOptions{BlackBox: true, Positions: positions})
				if err != nil || r.Level == Refuted {
					refuted++
					continue
				}
				t.Logf("%s, %s: passes the run", net, p.name)
			}
		}
		t.Logf("%v: %d of %d refuted by the run alone", c.nets, refuted, total)
		if refuted*c.least[1] < c.least[0]*total {
			t.Errorf("%v: %d of %d refuted by the run alone, want %d of %d", c.nets, refuted, total, c.least[0], c.least[1])
		}
	}
}

// keepFile writes an altered file for a look at it, where EDGED_KEEP names a folder.
func keepFile(t *testing.T, net string, i int, p pairOf) {
	dir := os.Getenv("EDGED_KEEP")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d_%s", i, net)), p.dense, 0o644); err != nil {
		t.Fatal(err)
	}
}
