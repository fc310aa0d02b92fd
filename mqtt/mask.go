package mqtt

import (
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"edged"
	"edged/internal/maskpng"
)

// The steps by which a mask that is over the limit is made smaller.
const (
	degradedZstd    = "zstd"
	degradedCoarser = "coarser"
	degradedAlone   = "result_alone"
)

// coarsest is how often the grid may be halved per axis before the result goes
// alone: at an eighth a mask still says where something is.
const coarsest = 3

// maskEncoder packs the masks of one camera. It keeps its buffers.
type maskEncoder struct {
	png   maskpng.Encoder
	zstd  *zstd.Encoder
	buf   []byte
	dense []byte // pixels without the stride's padding, for zstd
	small []byte // pixels of the coarser grid
}

// encode packs m in the configured encoding or, where that is over the limit,
// in the first smaller form that is not. It returns a copy of its own; nil when
// the result has to go alone.
func (c *Client) encode(e *maskEncoder, m *edged.Mask, seq uint64, ts time.Time) ([]byte, *MaskRef, error) {
	limit := int(c.limit.Load())
	grid := *m
	for halved := 0; ; halved++ {
		for _, encoding := range encodings(c.cfg.Encoding) {
			b, err := e.pack(encoding, &grid, seq, ts)
			if err != nil {
				return nil, nil, fmt.Errorf("mqtt: mask: %w", err)
			}
			if len(b) > limit {
				continue
			}
			if halved > 0 {
				c.degraded(degradedCoarser)
			} else if encoding != c.cfg.Encoding {
				c.degraded(degradedZstd)
			}
			return append(make([]byte, 0, len(b)), b...), &MaskRef{
				Encoding: encoding, W: grid.W, H: grid.H, Bytes: len(b), Stride: grid.Grid.Stride, Origin: grid.Grid.Origin,
			}, nil
		}
		if halved == coarsest {
			c.degraded(degradedAlone)
			return nil, nil, nil
		}
		grid = e.halve(&grid)
	}
}

func encodings(first string) []string {
	if first == EncodingZstd {
		return []string{EncodingZstd}
	}
	return []string{first, EncodingZstd}
}

func (e *maskEncoder) pack(encoding string, m *edged.Mask, seq uint64, ts time.Time) (b []byte, err error) {
	if encoding == EncodingPNG {
		b, err = e.png.Encode(e.buf[:0], m, seq, ts)
	} else {
		b, err = e.packZstd(e.buf[:0], m)
	}
	e.buf = b
	return b, err
}

func (e *maskEncoder) packZstd(dst []byte, m *edged.Mask) ([]byte, error) {
	if e.zstd == nil {
		// One goroutine and a window of the whole mask: nothing is kept running.
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return dst, err
		}
		e.zstd = w
	}
	e.dense = e.dense[:0]
	for y := range m.H {
		e.dense = append(e.dense, m.Pix[y*m.Stride:][:m.W]...)
	}
	return e.zstd.EncodeAll(e.dense, dst), nil
}

// halve takes every second position of every second line. The first position
// stays, so the origin does and the stride doubles.
func (e *maskEncoder) halve(m *edged.Mask) edged.Mask {
	w, h := (m.W+1)/2, (m.H+1)/2
	if cap(e.small) < w*h {
		e.small = make([]byte, w*h)
	}
	// In place is safe when m is the coarser grid already: reading runs ahead.
	dst := e.small[:w*h]
	for y := range h {
		line := m.Pix[2*y*m.Stride:][:m.W]
		for x := range w {
			dst[y*w+x] = line[2*x]
		}
	}
	g := m.Grid
	g.Stride[0], g.Stride[1] = 2*g.Stride[0], 2*g.Stride[1]
	return edged.Mask{Pix: dst, Stride: w, W: w, H: h, Grid: g}
}

func (c *Client) degraded(step string) {
	c.mu.Lock()
	c.link.Degraded[step]++
	c.mu.Unlock()
	c.said.hourly(c.log, "degraded "+step, "a payload is over the limit and is sent in a smaller form", "step", step, "limit_bytes", c.limit.Load())
}
