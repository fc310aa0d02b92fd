package daemon

import (
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"edged/internal/board"
)

// heat watches what holds the processor's clock down. It looks when somebody asks:
// stats, the page, metrics.
type heat struct {
	root fs.FS
	log  *slog.Logger

	mu    sync.Mutex
	held  bool
	times uint64 // that it has begun
}

// cures is what to do about a processor that is held down.
var cures = map[string]string{
	board.Heat:    "give the board a heat sink, a fan or a cooler place; results are late until then",
	board.Voltage: "use the board's own supply and a short cable: under-voltage slows the processor, and breaks SD cards",
}

// look reads the machine's state, says once that the clock is held down, and counts
// how often that has begun.
func (h *heat) look() (t board.Thermal, times uint64) {
	t = board.Read(h.root)
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := len(t.Causes) > 0; held != h.held {
		h.held = held
		if held {
			h.times++
			h.log.Warn("the processor's clock is held down", "cause", strings.Join(t.Causes, ", "), "celsius", t.Celsius, "mhz", t.MHz, "max_mhz", t.MaxMHz, "cure", cures[t.Causes[len(t.Causes)-1]])
		} else {
			h.log.Info("the processor's clock is free again", "celsius", t.Celsius, "mhz", t.MHz)
		}
	}
	return t, h.times
}

// writtenBytes is what this process has had written to disks, as its kernel counts.
func writtenBytes(root fs.FS) (float64, bool) {
	data, err := fs.ReadFile(root, "proc/self/io")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return n, err == nil
		}
	}
	return 0, false
}
