package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"edged/fallback"
	"edged/internal/config"
	"edged/internal/tiles"
	"edged/model"
)

// tilesInfo is what fit = "tile" makes of a model.
type tilesInfo struct {
	Size [2]int  `json:"size"` // pixels of a tile, y, x
	Step [2]int  `json:"step"` // pixels from an inner tile to the next
	Work float64 `json:"work"` // pixels that are computed for each of a large frame's
	Why  string  `json:"why,omitempty"`

	net    tiles.Net
	Chosen *chosenTile `json:"chosen,omitempty"` // by cache and memory
}

// chosenTile is the size that tiles should have on this machine.
type chosenTile struct {
	Size  [2]int  `json:"size"`
	Work  float64 `json:"work"`
	Pixel int64   `json:"bytes_per_pixel"` // that the Go engine works in
	Cache int64   `json:"cache_bytes"`     // of one processor
	Known bool    `json:"cache_known"`     // by the machine
	Limit int64   `json:"memory_limit"`
	Fits  bool    `json:"fits"` // false: not even the smallest tile
}

// unaskedMemory is what a model may take where no limit is named, as in the daemon.
const unaskedMemory = 2 << 30

// choose tells which tile the cache and the memory ask for; limit is as
// node.memory_limit writes it, empty: the daemon's own.
func (i *tilesInfo) choose(p *fallback.PlanInfo, limit string) error {
	if i == nil || i.Why != "" {
		return nil
	}
	c := &chosenTile{Limit: unaskedMemory}
	if limit != "" {
		var size config.Size
		if err := size.UnmarshalText([]byte(limit)); err != nil {
			return exitf(exitUsage, "--memory-limit: %v", err)
		}
		c.Limit = int64(size)
	}
	if c.Cache, c.Known = cacheOf("/sys/devices/system/cpu/cpu0/cache"); !c.Known {
		c.Cache = assumedCache
	}
	c.Pixel = max(1, p.ArenaBytes/int64(i.Size[0]*i.Size[1]))
	c.Size, c.Fits = i.net.Shape(tiles.Room{Pixel: c.Pixel, Cache: c.Cache, Limit: c.Limit})
	if c.Fits {
		c.Work = i.net.Work(c.Size)
	}
	i.Chosen = c
	return nil
}

// assumedCache is a processor's own cache where the machine does not tell: that of
// common boards, in whole.
const assumedCache = 1 << 20

// cacheOf is the size of a processor's second cache, of what Linux tells in dir.
func cacheOf(dir string) (bytes int64, ok bool) {
	levels, _ := filepath.Glob(filepath.Join(dir, "index*", "level"))
	for _, l := range levels {
		level, err := os.ReadFile(l)
		if err != nil || strings.TrimSpace(string(level)) != "2" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(l), "size"))
		var size config.Size
		if err == nil && size.UnmarshalText([]byte(strings.TrimSuffix(strings.TrimSpace(string(text)), "K")+"KiB")) == nil && size > 0 {
			return int64(size), true
		}
	}
	return 0, false
}

// tilesOf tells how a dense model lies on frames larger than itself; nil: it is
// none that edged rewrote.
func tilesOf(m *model.Model) *tilesInfo {
	f, err := m.Manifest()
	if err != nil || f == nil || f.Form == "" || len(m.Subgraphs[0].Inputs) != 1 {
		return nil
	}
	g := m.Subgraphs[0]
	var out []int
	for _, t := range g.Outputs {
		if f.Output.Tensor == "" || g.Tensors[t].Name == f.Output.Tensor {
			out = out[:0]
			for _, d := range g.Tensors[t].Shape {
				out = append(out, int(d))
			}
		}
	}
	n, err := tiles.NetOf(m, out)
	if err != nil {
		return &tilesInfo{Why: err.Error()}
	}
	i := &tilesInfo{Work: 1, net: n}
	for axis, a := range n {
		i.Size[axis], i.Step[axis] = a.Input, a.Step()
		if i.Step[axis] == 0 {
			return &tilesInfo{Why: tiles.ErrNothingLeft.Error()}
		}
		i.Work *= float64(a.Input) / float64(i.Step[axis])
	}
	return i
}

// text is a line for people.
func (i *tilesInfo) text() string {
	switch {
	case i == nil:
		return ""
	case i.Why != "":
		return fmt.Sprintf("\nno tiles (fit = \"tile\"): %s\n", i.Why)
	}
	return fmt.Sprintf("\ntiles (fit = \"tile\"): %dx%d pixels, every %dx%d: %.2f times the pixels of a large frame are computed\n",
		i.Size[0], i.Size[1], i.Step[0], i.Step[1], i.Work) + i.Chosen.text()
}

// text is a line for people.
func (c *chosenTile) text() string {
	switch {
	case c == nil:
		return ""
	case !c.Fits:
		return fmt.Sprintf("no tile of this net fits into %d KiB of memory (--memory-limit)\n", c.Limit>>10)
	}
	from := map[bool]string{true: "a processor's own, as the machine tells", false: "assumed: the machine does not tell"}[c.Known]
	return fmt.Sprintf("best tile here: edged rewrite --input %dx%d: %.2f times the pixels, %d bytes each, for a cache of %d KiB (%s) and %d MiB of memory (--memory-limit)\n",
		c.Size[0], c.Size[1], c.Work, c.Pixel, c.Cache>>10, from, c.Limit>>20)
}
