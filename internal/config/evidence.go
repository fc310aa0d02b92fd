package config

import (
	"log/slog"
	"time"

	"edged/internal/evidence"
)

// Evidence is about the frames that rules found fault with, and how many of them
// are kept. An empty Dir means none.
type Evidence struct {
	Dir      string   `toml:"dir"`
	MaxAge   Duration `toml:"max_age"`
	MaxCount int      `toml:"max_count"`
	MaxBytes Size     `toml:"max_bytes"`
}

// mostEvidence bounds what is known of each file in memory.
const mostEvidence = 100_000

func defaultEvidence() Evidence {
	d := evidence.Default()
	return Evidence{MaxAge: Duration(d.MaxAge), MaxCount: d.MaxCount, MaxBytes: Size(d.MaxBytes)}
}

// Store is the evidence package's view of it.
func (e *Evidence) Store(wait bool, log *slog.Logger) evidence.Config {
	return evidence.Config{
		Dir: e.Dir, MaxAge: time.Duration(e.MaxAge), MaxCount: e.MaxCount, MaxBytes: int64(e.MaxBytes), Wait: wait, Log: log,
	}
}

// checkEvidence looks at the limits.
func (c *Config) checkEvidence() {
	e := &c.Evidence
	if e.MaxCount < 1 || e.MaxCount > mostEvidence {
		c.file.Addf("evidence.max_count", "max_count of %d: how many pictures are kept at most, 1 to %d; leave dir out to keep none", e.MaxCount, mostEvidence)
	}
	if e.MaxBytes < 1 {
		c.file.Addf("evidence.max_bytes", "max_bytes of 0 keeps nothing: a picture takes about two bytes a pixel; leave dir out to keep none")
	}
	if e.Dir == "" {
		for _, key := range []string{"max_age", "max_count", "max_bytes"} {
			if c.file.Has("evidence." + key) {
				c.file.Addf("evidence."+key, "%s without dir: name the folder that evidence is kept in", key)
				break
			}
		}
	}
}
