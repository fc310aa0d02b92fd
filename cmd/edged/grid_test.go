package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

// TestTheGridPlacesTheMask reads what a subscriber reads - result, mask and
// nothing else - and lays every mask on the truth of its frame by the grid that
// result tells. One pixel to any side must fit worse: a grid that is off by a
// pixel, a crop that is rounded the other way or swapped axes all fail here.
func TestTheGridPlacesTheMask(t *testing.T) {
	const frames = 3
	dir, b := t.TempDir(), daemontest.Broker(t)
	sub := daemontest.Subscribe(t, b.Address)
	defer sub.Close()

	daemontest.DenseFile(t, dir, nets.Valid, 150, 220)
	belt, pictures := filepath.Join(dir, "belt"), filepath.Join(dir, "pictures")
	for _, folder := range []string{belt, pictures} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeBelt(t, belt, "test:belt?size=320x240&seed=9", frames)
	for i := range frames { // the camera gets the pictures alone, the masks stay with the judge
		name := string(rune('a'+i)) + ".png"
		if err := os.Rename(filepath.Join(belt, name), filepath.Join(pictures, name)); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, fmt.Appendf(nil, `node = {name = "n", http = ""}
mqtt = {broker = "tcp://%s", spool_dir = "state"}
[[camera]]
name = "c"
source = %q
roi = [7, 12, 301, 223]
model = "dense.tflite"
engine = "go"
`, b.Address, pictures))
	var stderr bytes.Buffer
	if code := run(context.Background(), []string{"run", "-c", config, "--once"}, io.Discard, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}

	results, masks := sub.First("edged/n/c/result", frames), sub.First("edged/n/c/mask", frames)
	var equal [3][3]int // by how far the mask is moved: y, x, each -1, 0, 1
	for i := range frames {
		var result mqtt.Result
		if err := json.Unmarshal(results[i], &result); err != nil {
			t.Fatal(err)
		}
		truth, err := os.ReadFile(filepath.Join(belt, string(rune('a'+i))+"_mask.png"))
		if err != nil {
			t.Fatal(err)
		}
		countEqual(&equal, greyPNG(t, masks[i]), greyPNG(t, truth), result.Mask)
	}
	for y := range 3 {
		for x := range 3 {
			if (y != 1 || x != 1) && equal[y][x] >= equal[1][1] {
				t.Errorf("moved by y %d, x %d, %d pixels are as the truth has them; where the grid places the mask, %d", y-1, x-1, equal[y][x], equal[1][1])
			}
		}
	}
}

func greyPNG(t *testing.T, data []byte) *image.Gray {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	grey, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("a mask of %T, want 8-bit grey", img)
	}
	return grey
}

// countEqual adds, for every move of the mask, its pixels that equal the truth's.
func countEqual(equal *[3][3]int, mask, truth *image.Gray, m *mqtt.MaskRef) {
	for dy := range 3 {
		for dx := range 3 {
			for y := range m.H {
				for x := range m.W {
					ty := int(m.Origin[0]+float64(y)*m.Stride[0]) + dy - 1
					tx := int(m.Origin[1]+float64(x)*m.Stride[1]) + dx - 1
					if mask.GrayAt(x, y) == truth.GrayAt(tx, ty) {
						equal[dy][dx]++
					}
				}
			}
		}
	}
}
