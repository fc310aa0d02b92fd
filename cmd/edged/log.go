package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"edged/internal/logfold"
)

const (
	// foldWindow is how long repeats of a log record are only counted.
	foldWindow = time.Minute
	foldFlush  = 10 * time.Second
)

// newLogger writes structured lines to w, repeats folded. Under journald the
// line carries its priority and no time: the journal has its own. stop writes
// what was folded last.
func newLogger(w io.Writer) (log *slog.Logger, stop func()) {
	var next slog.Handler = slog.NewTextHandler(w, nil)
	if os.Getenv("JOURNAL_STREAM") != "" {
		next = newJournalHandler(w)
	}
	fold := logfold.New(next, foldWindow)
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(foldFlush)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fold.Flush(false)
			case <-done:
				return
			}
		}
	}()
	var once sync.Once
	return slog.New(fold), func() {
		once.Do(func() { close(done) })
		fold.Flush(true)
	}
}

// journalHandler starts each line with its priority in systemd's notation,
// for example "<4>".
type journalHandler struct {
	levels map[string]slog.Handler
}

// priorities are those of syslog(3) for slog's levels.
var priorities = []struct {
	from   slog.Level
	prefix string
}{{slog.LevelError, "<3>"}, {slog.LevelWarn, "<4>"}, {slog.LevelInfo, "<6>"}, {slog.Level(-128), "<7>"}}

func newJournalHandler(w io.Writer) journalHandler {
	h := journalHandler{map[string]slog.Handler{}}
	for _, p := range priorities {
		h.levels[p.prefix] = slog.NewTextHandler(prefixed{w, p.prefix}, &slog.HandlerOptions{
			ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
					return slog.Attr{}
				}
				return a
			},
		})
	}
	return h
}

// prefixed writes each line, which a slog handler writes in one call, behind a
// prefix.
type prefixed struct {
	w      io.Writer
	prefix string
}

func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (h journalHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h journalHandler) Handle(ctx context.Context, r slog.Record) error {
	for _, p := range priorities {
		if r.Level >= p.from {
			return h.levels[p.prefix].Handle(ctx, r)
		}
	}
	return nil
}

func (h journalHandler) each(f func(slog.Handler) slog.Handler) slog.Handler {
	c := journalHandler{map[string]slog.Handler{}}
	for prefix, next := range h.levels {
		c.levels[prefix] = f(next)
	}
	return c
}

func (h journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(n slog.Handler) slog.Handler { return n.WithAttrs(attrs) })
}

func (h journalHandler) WithGroup(name string) slog.Handler {
	return h.each(func(n slog.Handler) slog.Handler { return n.WithGroup(name) })
}
