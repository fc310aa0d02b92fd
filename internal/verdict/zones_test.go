package verdict

import (
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/internal/zones"
)

func square(name string, x0, y0, x1, y1 float64) zones.Zone {
	return zones.Zone{Name: name, Polygon: [][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}}
}

func held(t testing.TB, list ...zones.Zone) *zones.Holder {
	t.Helper()
	set, err := zones.New(list)
	if err != nil {
		t.Fatal(err)
	}
	return zones.NewHolder(set)
}

// A rule with zones says of each what a rule without says of a mask that holds
// nothing outside of it.
func TestARuleInZones(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		w, h := 1+random.IntN(12), 1+random.IntN(12)
		m := &edged.Mask{W: w, H: h, Stride: w, Pix: make([]byte, w*h), Grid: edged.Grid{Stride: [2]float64{2, 2}, Origin: [2]float64{1, 1}}}
		scores := make([]float32, w*h)
		for i := range m.Pix {
			m.Pix[i], scores[i] = byte(random.IntN(2)), random.Float32()
		}
		rule := Rule{Class: 1, Name: "a", MinAreaPx: 1 + random.IntN(3), MinScore: float64(random.IntN(2)) / 2, MaxCount: random.IntN(3)}
		zone := square("z", float64(random.IntN(8)), float64(random.IntN(8)), float64(8+random.IntN(20)), float64(8+random.IntN(20)))
		cut := *m
		cut.Pix = append([]byte{}, m.Pix...)
		for i := range cut.Pix {
			if x, y := float64(1+2*(i%w)), float64(1+2*(i/w)); x < zone.Polygon[0][0] || x >= zone.Polygon[2][0] || y < zone.Polygon[0][1] || y >= zone.Polygon[2][1] {
				cut.Pix[i] = 0
			}
		}
		plain, err := New([]Rule{rule})
		if err != nil {
			t.Fatal(err)
		}
		rule.Zones = []string{"z"}
		zoned, err := New([]Rule{rule})
		if err != nil {
			t.Fatal(err)
		}
		zoned.Zones = held(t, zone)
		want, got := plain.Judge(&cut, scores), zoned.Judge(m, scores)
		if want.Verdict != got.Verdict || len(want.Reasons) != len(got.Reasons) {
			t.Fatalf("%+v, want %+v", got, want)
		}
		for i, r := range got.Reasons {
			if o := want.Reasons[i]; r.Zone != "z" || r.Count != o.Count || r.Px != o.Px || !strings.Contains(r.Text, "in zone z") {
				t.Fatalf("%+v, want %+v", r, o)
			}
		}
	}
}

// Zones break a rule each by itself, hold is each one's own, and another set holds
// from the next mask on.
func TestZonesAreApart(t *testing.T) {
	m := draw("11.. .... ...1")
	m.Grid.Stride = [2]float64{1, 1}
	j, err := New([]Rule{{Class: 1, Name: "a", MaxTotalRatio: 0.3, Zones: []string{"left", "right"}}})
	if err != nil {
		t.Fatal(err)
	}
	var blind []string
	j.Blind = func(zone string) { blind = append(blind, zone) }
	j.Zones = held(t, square("left", 0, 0, 2, 3), square("right", 2, 0, 4, 3))
	o := j.Judge(m, nil)
	if len(o.Reasons) != 1 || o.Reasons[0].Zone != "left" || o.Reasons[0].Px != 2 || !strings.Contains(o.Reasons[0].Text, "33.333 % of the zone") {
		t.Errorf("%+v", o.Reasons)
	}
	if len(o.Blobs) != 2 || o.Blobs[0].Zone != "left" || o.Blobs[1].Zone != "right" {
		t.Errorf("%+v", o.Blobs)
	}
	next := held(t, square("left", 40, 0, 42, 3), square("right", 3, 2, 4, 3))
	j.Zones.Put(next.Set())
	o = j.Judge(m, nil)
	if len(o.Reasons) != 1 || o.Reasons[0].Zone != "right" || o.Reasons[0].Rule != 1 || len(blind) != 1 || blind[0] != "left" {
		t.Errorf("%+v, blind %q", o.Reasons, blind)
	}
	if n := testing.AllocsPerRun(50, func() { j.Zones.Set() }); n != 0 {
		t.Error(n)
	}
}

// Zones cost a frame no memory.
func TestZonesAllocateNothing(t *testing.T) {
	m := &edged.Mask{W: 64, H: 48, Stride: 64, Pix: make([]byte, 64*48), Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	for i := range m.Pix {
		m.Pix[i] = byte(i*7919>>3) & 1
	}
	j, err := New([]Rule{{Class: 1, MaxTotalRatio: 0.9, Zones: []string{"a", "b"}}, {Class: 1, MaxTotalRatio: 0.95}})
	if err != nil {
		t.Fatal(err)
	}
	j.Zones = held(t, square("a", 1, 1, 30, 40), zones.Zone{Name: "b", Polygon: [][2]float64{{0, 0}, {60, 10}, {20, 47}}})
	j.Judge(m, nil)
	if n := testing.AllocsPerRun(50, func() { j.Judge(m, nil) }); n != 0 {
		t.Errorf("%v allocations a mask", n)
	}
}
