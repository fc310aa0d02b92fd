package shadow

import (
	"reflect"
	"testing"

	"edged"
)

func mask(w int, stride, origin float64, pix ...uint8) *edged.Mask {
	return &edged.Mask{Pix: pix, Stride: w, W: w, H: len(pix) / w, Grid: edged.Grid{Stride: [2]float64{stride, stride}, Origin: [2]float64{origin, origin}}}
}

// Classes are compared by their names and at the same places of the frame,
// whatever the ids and the grids.
func TestTally(t *testing.T) {
	labels := []string{"good", "scratch"}
	fine := mask(4, 1, 0,
		0, 0, 1, 1,
		0, 0, 1, 1)
	for name, c := range map[string]struct {
		shadow *edged.Mask
		labels []string
		want   map[string]Class
	}{
		"the same": {fine, labels, map[string]Class{"good": {Both: 4}, "scratch": {Both: 4}}},
		"other ids": {mask(4, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1), []string{"scratch", "good"},
			map[string]Class{"good": {Both: 4, ShadowOnly: 1}, "scratch": {Both: 3, LiveOnly: 1}}},
		"another class": {mask(4, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2), []string{"good", "scratch", "pit"},
			map[string]Class{"good": {Both: 4}, "scratch": {Both: 3, LiveOnly: 1}, "pit": {ShadowOnly: 1}}},
		"coarser":        {mask(2, 2, 0.5, 0, 1), labels, map[string]Class{"good": {Both: 4}, "scratch": {Both: 4}}},
		"covers a part":  {mask(2, 1, 1, 1, 1), labels, map[string]Class{"good": {LiveOnly: 1}, "scratch": {Both: 1, ShadowOnly: 1}}},
		"lies elsewhere": {mask(2, 1, 90, 1, 1), labels, map[string]Class{}},
	} {
		if got := tally(fine, labels, c.shadow, c.labels); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
