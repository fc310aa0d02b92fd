package capture

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"edged"
	"edged/capture/belt"
)

// Truther is a Source that knows the exact classes of the frame it lent last.
// test:belt is one.
type Truther interface {
	Source
	Truth(*edged.Mask) error
}

// beltSource is test:belt with the account that every source keeps.
type beltSource struct {
	belt   *belt.Source
	closed atomic.Bool

	mu     sync.Mutex
	counts Counts
}

func parseBelt(source string) (Kind, error) {
	if _, err := belt.Parse(source); err != nil {
		return 0, wrong("%w", err)
	}
	return Belt, nil
}

func openBelt(cfg Config) (Source, error) {
	c, err := belt.Parse(cfg.Source)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	c.Every = c.Every || cfg.EveryFrame || cfg.Keep
	b, err := belt.New(c)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	cfg.tell(Status{Online: true})
	return &beltSource{belt: b, counts: Counts{Opens: 1}}, nil
}

// Next implements Source.
func (s *beltSource) Next(ctx context.Context, f *edged.Frame) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := s.belt.Next(ctx, f)
	delivered, passed := s.belt.Tally()
	s.mu.Lock()
	s.counts.Delivered, s.counts.PassedOver, s.counts.Read = delivered, passed, delivered+passed
	s.mu.Unlock()
	return err
}

// Truth implements Truther.
func (s *beltSource) Truth(m *edged.Mask) error { return s.belt.Truth(m) }

// Counts implements Source.
func (s *beltSource) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Close implements Source. A Next that waits returns with the belt's next frame.
func (s *beltSource) Close() error {
	s.closed.Store(true)
	return nil
}
