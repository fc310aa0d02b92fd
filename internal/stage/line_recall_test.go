package stage

import (
	"fmt"
	"slices"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// defects are the rules on what is wrong with a part.
func defects() []config.Rule {
	return []config.Rule{{Class: "scratch", MinAreaPx: 2}, {Class: "pit", MinAreaPx: 2}, {Class: "stain", MinAreaPx: 2}}
}

// defectsOf are the defects' blobs on one mask.
func defectsOf(t *testing.T, m *edged.Mask) []edged.Blob {
	t.Helper()
	judge, err := NewRuler(&config.Camera{Name: "c", Rules: defects()}, belt.Labels(), nil, func(Change) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &pipeline.Result{Mask: m, Frame: &edged.Frame{W: lineWidth, H: 1 << 20}}
	judge.Judge(r)
	if r.BlobsTotal != len(r.Blobs) {
		t.Fatalf("%d of %d blobs", len(r.Blobs), r.BlobsTotal)
	}
	return slices.Clone(r.Blobs)
}

// beltTruth is the truth of the belt's first rows, where a mask like whole has its
// positions.
func beltTruth(t *testing.T, rows int, whole *edged.Mask) *edged.Mask {
	t.Helper()
	c := belt.Default()
	c.W, c.H, c.FPS, c.Line = lineWidth, 64, 0, true
	src, err := belt.New(c)
	if err != nil {
		t.Fatal(err)
	}
	all := &edged.Mask{W: lineWidth, Stride: lineWidth, H: rows}
	var f edged.Frame
	var m edged.Mask
	for len(all.Pix) < lineWidth*rows {
		if err := src.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
		if err := src.Truth(&m); err != nil {
			t.Fatal(err)
		}
		all.Pix = append(all.Pix, m.Pix...)
	}
	seen := coarser(all, int(whole.Grid.Stride[0]), int(whole.Grid.Origin[0]))
	if seen.W < whole.W || seen.H < whole.H {
		t.Fatalf("the truth has %dx%d positions, the mask %dx%d", seen.W, seen.H, whole.W, whole.H)
	}
	seen.W, seen.H = whole.W, whole.H
	return seen
}

// found is how many of list touch a blob of the same class in other.
func found(list, other []edged.Blob) (n int) {
	for _, a := range list {
		if slices.ContainsFunc(other, func(b edged.Blob) bool {
			return a.Class == b.Class && a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
		}) {
			n++
		}
	}
	return n
}

// TestDefectsOfALine: the defects that a line camera publishes are those of the whole
// picture as one frame, whichever the strips: recall and precision against the belt's
// truth are equal. Those that are told as they are complete are each told once.
func TestDefectsOfALine(t *testing.T) {
	const frames = 30
	whole := wholeBelt(t, 64*frames)
	want := defectsOf(t, &whole)
	truth := defectsOf(t, beltTruth(t, 64*frames, &whole))
	recall, precision := found(truth, want), found(want, truth)
	t.Logf("truth %d, on the whole frame %d; found of the truth %d, true of the published %d", len(truth), len(want), recall, precision)
	if len(truth) < 6 || recall < len(truth)/2 || precision < len(want)/2 {
		t.Fatal("the scene shows too little to compare")
	}
	last := 19 + 2*(whole.H-1)
	for strip, part := range map[int]string{16: "rows", 100: "absent"} {
		line := config.Line{Strip: strip, Part: "absent:metal", MaxPartRows: 16384}
		if part == "rows" {
			line.Part = fmt.Sprint("rows:", last+2)
		}
		sink, _, _ := runLine(t, 64, frames, line, nil, defects()...)
		var got []edged.Blob
		for _, blobs := range sink.blobs {
			got = append(got, blobs...)
		}
		if part == "rows" && (len(sink.blobs) != 1 || !slices.Equal(got, want)) {
			t.Errorf("strips of %d: one part of all rows has %d blobs, the frame %d\n%+v\n%+v", strip, len(got), len(want), got, want)
		}
		if r, p := found(truth, got), found(got, truth); r != recall || p != precision || len(got) != len(want) {
			t.Errorf("strips of %d, %s: %d blobs, recall %d of %d, precision %d; on the whole frame %d, %d and %d", strip, part, len(got), r, len(truth), p, len(want), recall, precision)
		}
		seen := map[edged.Blob]bool{}
		for _, b := range sink.complete {
			if seen[b] || !slices.Contains(got, b) {
				t.Errorf("strips of %d: %+v is told twice, or is none of its part's", strip, b)
			}
			seen[b] = true
		}
		if len(seen) == 0 {
			t.Errorf("strips of %d: no blob was told before its part's end", strip)
		}
	}
}
