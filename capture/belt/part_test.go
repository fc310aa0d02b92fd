package belt

import (
	"math"
	"testing"

	"edged"
)

func plain(s shape) *part {
	return &part{shape: s, cos: 1, hx: 50, hy: 30, r: 10, bevel: 4}
}

func TestDistanceByHand(t *testing.T) {
	box := plain(plate)
	disc := plain(washer)
	disc.r = 40
	drilled := plain(plate)
	drilled.addHole(20, 0, 8, 0)
	slotted := plain(link)
	slotted.addHole(0, 0, 5, 12)
	for _, c := range []struct {
		name       string
		p          *part
		x, y, want float64
	}{
		{"box, centre", box, 0, 0, -30}, {"box, side", box, 50, 0, 0}, {"box, beyond", box, 53, 0, 3},
		{"box, below", box, 0, -34, 4}, {"box, inside its corner", box, 40, 20, -10},
		{"box, round corner", box, 40 + 10/math.Sqrt2, 20 + 10/math.Sqrt2, 0},
		{"disc, centre", disc, 0, 0, -40}, {"disc, 3-4-5", disc, 30, 40, 10},
		{"hole, centre", drilled, 20, 0, 8}, {"hole, rim", drilled, 28, 0, 0}, {"hole, beside", drilled, 31, 0, -3},
		{"slot, centre", slotted, 0, 0, 5}, {"slot, along", slotted, 12, 0, 5}, {"slot, end", slotted, 17, 0, 0},
		{"slot, beyond", slotted, -19, 0, -2}, {"slot, side", slotted, 7, 6, -1},
	} {
		if got := c.p.distance(c.x, c.y); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, by hand %g", c.name, got, c.want)
		}
	}
}

func TestNormalPointsOut(t *testing.T) {
	p := plain(plate)
	p.addHole(20, 0, 8, 0)
	for _, c := range []struct{ x, y, nx, ny float64 }{
		{50, 0, 1, 0}, {-49, 3, -1, 0}, {0, 29, 0, 1}, {29, 0, -1, 0}, {11, 0, 1, 0},
	} {
		nx, ny := p.normal(c.x, c.y)
		if math.Hypot(nx-c.nx, ny-c.ny) > 0.05 {
			t.Errorf("at (%g,%g): (%.2f,%.2f), by hand (%g,%g)", c.x, c.y, nx, ny, c.nx, c.ny)
		}
	}
}

func TestLocalTurns(t *testing.T) {
	p := &part{cx: 10, cy: 20, cos: 0, sin: 1} // a quarter turn
	if x, y := p.local(10, 23); math.Abs(x-3) > 1e-12 || math.Abs(y) > 1e-12 {
		t.Errorf("three below the centre is (%g,%g) of the part", x, y)
	}
}

// Every kind of part and defect turns up, and defects lie on metal.
func TestPartsVary(t *testing.T) {
	var kinds [shapes]int
	var flawed, n int
	var found [Classes]int
	for cell := range int64(400) {
		var p part
		makePart(&p, 99, cell%3, cell, laneHeight/2, 0.5)
		kinds[p.shape]++
		n++
		if p.nDefects > 0 {
			flawed++
		}
		for _, d := range p.defects[:p.nDefects] {
			found[d.class]++
			if p.distance(d.x, d.y) > -10 {
				t.Fatalf("cell %d: the centre of a defect lies %.1f inside", cell, -p.distance(d.x, d.y))
			}
		}
	}
	for k, v := range kinds {
		if v < n/shapes/2 {
			t.Errorf("shape %d: %d of %d parts", k, v, n)
		}
	}
	// Half of the parts are to have defects; a few find no room for theirs.
	if flawed < n*35/100 || flawed > n*60/100 {
		t.Errorf("%d of %d parts have defects", flawed, n)
	}
	for c := Scratch; c <= Stain; c++ {
		if found[c] < 40 {
			t.Errorf("%s: %d in %d parts", Labels()[c], found[c], n)
		}
	}
}

func TestNoDefectsWhenNoneAreAskedFor(t *testing.T) {
	c := small()
	c.Defects = 0
	s := mustScene(t, c)
	for k := range uint64(5) {
		var f edged.Mask
		s.Render(k*300, nil, &f)
		for _, v := range f.Pix {
			if v > Metal {
				t.Fatalf("frame %d shows %s", k*300, Labels()[v])
			}
		}
	}
}

// Where defects meet the pit is on top, then the scratch, then the stain.
func TestRank(t *testing.T) {
	if !(rank(Pit) > rank(Scratch) && rank(Scratch) > rank(Stain) && rank(Stain) > rank(Metal) && rank(Metal) > rank(Background)) {
		t.Error("the order of the classes is wrong")
	}
}

// A scratch is somewhere at least five pixels wide, so that a pixel can lie two
// pixels from its border; a pit and a stain are wider.
func TestDefectsAreWideEnough(t *testing.T) {
	r := newRNG(8)
	tex := &textures{cloud: newCloud(&r), brush: newBrush(&r)}
	for class := Scratch; class <= Stain; class++ {
		enough := 0
		for range 100 {
			d := defect{class: class, wave: r.in(0, texSize), depth: 1}
			d.shape(&r)
			if deepest(tex, &d) >= 2.5 {
				enough++
			}
		}
		if enough < 70 {
			t.Errorf("%s: %d of 100 are five pixels wide", Labels()[class], enough)
		}
	}
}

func deepest(tex *textures, d *defect) float64 {
	most := math.Inf(-1)
	for y := -50.0; y <= 50; y++ {
		for x := -50.0; x <= 50; x++ {
			in, _, _ := d.depthAt(tex, x, y)
			most = max(most, in)
		}
	}
	return most
}
