// Package logfold folds repeated log records: the first of its kind is written
// at once, those that follow within a window are counted, and the next one
// tells how many there were. A camera that is away for a night fills no disk.
package logfold

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxKinds bounds the kinds of records remembered; beyond it the record is
// written unfolded rather than lost.
const maxKinds = 1024

// Handler is a slog.Handler that folds repeats before it hands records on.
type Handler struct {
	next  slog.Handler
	fold  *fold
	attrs string // what With added and tells kinds apart
}

// fold is what a Handler and its With copies share.
type fold struct {
	window time.Duration
	now    func() time.Time
	mu     sync.Mutex
	seen   map[kind]*count
}

// kind tells which records are repeats of each other: level, text, and the
// values that name a thing rather than measure it.
type kind struct {
	level slog.Level
	text  string
	names string
}

type count struct {
	until   time.Time // end of the window
	folded  int
	last    slog.Record
	handler slog.Handler
}

// New folds what goes to next. Records of one kind are written once in each
// window.
func New(next slog.Handler, window time.Duration) *Handler {
	return &Handler{next: next, fold: &fold{window: window, now: time.Now, seen: map[kind]*count{}}}
}

// naming are the attributes that tell kinds apart.
var naming = map[string]bool{"camera": true, "reason": true, "model": true, "broker": true, "topic": true, "sha256": true}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		c.attrs += nameOf(a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next = h.next.WithGroup(name)
	return &c
}

func nameOf(a slog.Attr) string {
	if !naming[a.Key] {
		return ""
	}
	return a.Key + "=" + a.Value.String() + "\n"
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo {
		return h.next.Handle(ctx, r)
	}
	k := kind{r.Level, r.Message, h.attrs}
	r.Attrs(func(a slog.Attr) bool { k.names += nameOf(a); return true })
	f := h.fold
	f.mu.Lock()
	c, now := f.seen[k], f.now()
	if c != nil && now.Before(c.until) {
		c.folded++
		c.last, c.handler = r.Clone(), h.next
		f.mu.Unlock()
		return nil
	}
	folded := 0
	if c != nil {
		folded = c.folded
	}
	if c != nil || len(f.seen) < maxKinds {
		f.seen[k] = &count{until: now.Add(f.window)}
	}
	f.mu.Unlock()
	return write(ctx, h.next, r, folded)
}

// write hands r on, telling how many like it were folded before.
func write(ctx context.Context, next slog.Handler, r slog.Record, folded int) error {
	if folded > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("repeated", folded))
	}
	return next.Handle(ctx, r)
}

// Flush writes the last of each kind whose window has passed and that had
// repeats, and forgets it; with all, of every kind. Call it now and then, and
// at the end.
func (h *Handler) Flush(all bool) {
	f := h.fold
	f.mu.Lock()
	now := f.now()
	var due []*count
	for k, c := range f.seen {
		if all || !now.Before(c.until) {
			delete(f.seen, k)
			if c.folded > 0 {
				due = append(due, c)
			}
		}
	}
	f.mu.Unlock()
	for _, c := range due {
		// slog's own contract: a handler's error has nowhere to go.
		_ = write(context.Background(), c.handler, c.last, c.folded)
	}
}
