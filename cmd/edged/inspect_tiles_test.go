package main

import (
	"os"
	"path/filepath"
	"testing"

	"edged/fallback"
	"edged/internal/tiles"
)

// The second cache is read as Linux writes it.
func TestCacheOf(t *testing.T) {
	dir := t.TempDir()
	if _, ok := cacheOf(dir); ok {
		t.Error("a cache where there is none")
	}
	for index, level := range map[string][2]string{"index0": {"1", "48K"}, "index2": {"2", "2048K"}, "index3": {"3", "30720K"}} {
		at := filepath.Join(dir, index)
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"level": level[0], "size": level[1]} {
			if err := os.WriteFile(filepath.Join(at, name), []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if size, ok := cacheOf(dir); !ok || size != 2<<20 {
		t.Errorf("%d bytes, %v", size, ok)
	}
}

// The tile that is told fits into the memory that is named.
func TestChosenTile(t *testing.T) {
	a := tiles.Axis{Input: 128, Output: 90, Stride: 1, Field: 39}
	plan := &fallback.PlanInfo{ArenaBytes: 100 * 128 * 128}
	told := func(limit string) (*chosenTile, error) {
		i := &tilesInfo{Size: [2]int{128, 128}, net: tiles.Net{a, a}}
		err := i.choose(plan, limit)
		return i.Chosen, err
	}
	c, err := told("2MiB")
	if err != nil || !c.Fits || c.Pixel != 100 || 100*int64(c.Size[0]*c.Size[1]) > 2<<20 || c.Work < 1.3 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = told("64kB"); err == nil {
		t.Errorf("a unit that there is not: %+v", c)
	}
	if c, err = told("64KB"); err != nil || c.Fits {
		t.Errorf("%+v, %v", c, err)
	}
}
