package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

// colouredPictures is a folder of n pictures of coloured rectangles.
func colouredPictures(t *testing.T, n, w, h int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(4, 4))
	for i := range n {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for range 12 {
			c := color.RGBA{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 255}
			x, y := r.IntN(w), r.IntN(h)
			for dy := range 1 + r.IntN(h/2) {
				for dx := range 1 + r.IntN(w/2) {
					img.Set(x+dx, y+dy, c)
				}
			}
		}
		f, err := os.Create(filepath.Join(dir, string(rune('a'+i))+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

// TestCompare: a model agrees with itself everywhere, float32 with int8 almost,
// and the counts add up.
func TestCompare(t *testing.T) {
	dir, pictures := t.TempDir(), colouredPictures(t, 3, 60, 52)
	a := daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	b := filepath.Join(dir, "float.tflite")
	if err := os.Rename(a, b); err != nil {
		t.Fatal(err)
	}
	c := daemontest.DenseFile(t, dir, nets.ValidInt8, 48, 56)
	for _, test := range []struct {
		name string
		args []string
		same bool
	}{
		{"one model twice", []string{b, b, "--engine", "go"}, true},
		{"float32 and int8", []string{b, c, "--engine", "go"}, false},
		{"engines", []string{b, "--engines", "go,go"}, true},
	} {
		code, out, errs := runEdged(append([]string{"compare", "--images", pictures, "--json"}, test.args...)...)
		if code != exitOK {
			t.Fatalf("%s: exit %d: %s", test.name, code, errs)
		}
		var r compared
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		sum, both := 0, 0
		for _, k := range r.Classes {
			sum, both = sum+k.A, both+k.Both
		}
		if r.Pictures != 3 || sum != r.Positions || both != r.Equal || r.Positions == 0 || test.same != (r.Equal == r.Positions && r.MaxDiff == 0) || r.Share < 0.5 {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
	code, out, _ := runEdged("compare", b, c, "--engine", "go", "--images", pictures)
	if code != exitOK || !strings.Contains(out, "agreement") || !strings.Contains(out, "scratch") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func TestCompareRefuses(t *testing.T) {
	dir, pictures := t.TempDir(), colouredPictures(t, 1, 60, 52)
	a := daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	b := filepath.Join(dir, "other.tflite")
	if err := os.Rename(a, b); err != nil {
		t.Fatal(err)
	}
	smaller := daemontest.DenseFile(t, dir, nets.Valid, 40, 48)
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{b, "--images", pictures}, exitUsage, "two engines"},
		{[]string{b, b, "--engines", "go,go", "--images", pictures}, exitUsage, "two engines"},
		{[]string{b, "--engines", "go", "--images", pictures}, exitUsage, "two engines"},
		{[]string{b, b}, exitUsage, "images"},
		{[]string{b, smaller, "--engine", "go", "--images", pictures}, exitRefused, "one frame"},
		{[]string{b, b, "--engine", "go", "--images", t.TempDir()}, exitFailed, "no PNG"},
	} {
		code, _, errs := runEdged(append([]string{"compare"}, c.args...)...)
		if code != c.want || !strings.Contains(errs, c.says) {
			t.Errorf("%q: exit %d, want %d: %s", c.args, code, c.want, errs)
		}
	}
}
