package eval

import (
	"fmt"

	"edged/capture/belt"
)

// Belt is a number of frames of test:belt, far enough apart to show different
// parts.
type Belt struct {
	scene *belt.Scene
	n     int
	step  uint64
}

// OpenBelt plays n frames of the belt that source describes.
func OpenBelt(source string, n int) (*Belt, error) {
	c, err := belt.Parse(source)
	if err != nil {
		return nil, err
	}
	if c.Frames > 0 {
		n = min(n, int(c.Frames))
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		return nil, err
	}
	// A picture's width further on everything in view is new; the belt's own light
	// changes over hundreds of frames, so a few pictures more see more of it.
	step := uint64(1)
	if c.Speed > 0 {
		step = uint64(3*c.W/c.Speed + 1)
	}
	return &Belt{scene: scene, n: n, step: step}, nil
}

// Len is the number of frames.
func (b *Belt) Len() int { return b.n }

// At renders frame i.
func (b *Belt) At(i int, s *Sample) error {
	k := uint64(i) * b.step
	s.Name = fmt.Sprintf("frame %d", k)
	b.scene.Render(k, &s.Frame, &s.Truth)
	return nil
}
