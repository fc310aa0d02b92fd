package capture

import (
	"context"
	"errors"
	"sync"

	"edged"
)

// late is a path that is not there yet: a share that is mounted later, or a folder
// that a camera makes with its first picture. It is looked for as a clip is, until
// it shows that it is a folder.
type late struct {
	cfg Config

	mu     sync.Mutex
	source Source
	closed bool
}

// errFolder ends a clip that has turned out to be a folder.
var errFolder = errors.New("capture: it is a folder")

func newLate(cfg Config) *late { return &late{cfg: cfg, source: openCamera(cfg, File)} }

// Next implements Source.
func (l *late) Next(ctx context.Context, f *edged.Frame) error {
	err := l.now().Next(ctx, f)
	if !errors.Is(err, errFolder) {
		return err
	}
	if err := l.change(); err != nil {
		return err
	}
	return l.now().Next(ctx, f)
}

// change puts the folder in the clip's place.
func (l *late) change() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.source.Close()
	src, err := openFolder(l.cfg)
	if err == nil {
		l.source = src
	}
	return err
}

func (l *late) now() Source {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.source
}

// Counts implements Source.
func (l *late) Counts() Counts { return l.now().Counts() }

// File implements Filer.
func (l *late) File() string {
	if f, ok := l.now().(Filer); ok {
		return f.File()
	}
	return ""
}

// Close implements Source.
func (l *late) Close() error {
	l.mu.Lock()
	l.closed = true
	src := l.source
	l.mu.Unlock()
	return src.Close()
}
