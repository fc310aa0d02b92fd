package page

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"time"

	"edged"
	"edged/internal/maskpng"
)

// Wish is a whole JPEG that somebody asks for.
type Wish struct {
	Limit   int  // bytes it may have: coarser, then smaller, as that asks for
	Overlay bool // with the mask on it
}

// Snapshot is Picture without the mask, of at most limit bytes.
func (p *Page) Snapshot(ctx context.Context, name string, limit int) ([]byte, Shot, error) {
	return p.Picture(ctx, name, Wish{Limit: limit})
}

// Picture waits for a picture of the camera taken from now on that has a result,
// and returns it as a JPEG whose comment says seq and ts.
func (p *Page) Picture(ctx context.Context, name string, w Wish) ([]byte, Shot, error) {
	return p.snapshot(ctx, name, w, time.Now())
}

func (p *Page) snapshot(ctx context.Context, name string, w Wish, from time.Time) ([]byte, Shot, error) {
	c := p.cameras[name]
	if c == nil {
		return nil, Shot{}, errNoCamera
	}
	c.wish(w, 1)
	defer c.wish(w, -1)
	m, err := p.wait(ctx, c, p.start, func(m *made) bool {
		_, ok := m.full[w]
		return ok && m.shot.Seq != 0 && m.at.After(from)
	})
	if err != nil {
		return nil, Shot{}, err
	}
	j := m.full[w]
	return j.data, m.shot, j.err
}

// Overlays calls on with a JPEG of the camera under its mask, at most limit() bytes,
// every so often while there are results, until ctx ends.
func (p *Page) Overlays(ctx context.Context, name string, every time.Duration, limit func() int, on func(jpeg []byte)) {
	c := p.cameras[name]
	if c == nil {
		return
	}
	c.keep = true // one frame's memory, not one a second
	for tick := time.NewTicker(every); ctx.Err() == nil; {
		if j, _, err := p.Picture(ctx, name, Wish{limit(), true}); err == nil {
			on(j)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// wish counts who wants a JPEG.
func (c *camera) wish(w Wish, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full[w] += n; c.full[w] == 0 {
		delete(c.full, w)
	}
	c.wishes.Add(int64(n))
}

// jpeg makes what is wished for.
func (w Wish) jpeg(p *picture) jpegOf {
	img := imageOf(&p.frame, 1)
	if w.Overlay {
		img = Overlay(&p.frame, &p.mask)
	}
	comment := fmt.Sprintf("seq=%d ts=%s", p.shot.Seq, p.shot.Time.UTC().Format(maskpng.TimeLayout))
	j, err := FitJPEG(img, w.Limit-len(comment)-4)
	if err != nil {
		return jpegOf{nil, err}
	}
	return jpegOf{withComment(j, comment), nil}
}

// withComment puts a comment segment behind a JPEG's first marker.
func withComment(j []byte, text string) []byte {
	out := append(make([]byte, 0, len(j)+len(text)+4), j[:2]...)
	out = append(out, 0xff, 0xfe)
	out = binary.BigEndian.AppendUint16(out, uint16(len(text)+2))
	return append(append(out, text...), j[2:]...)
}

// Overlay is f, each pixel under a class above 0 half in that class's colour.
// Where the mask does not reach, and under class 0, the picture stays.
func Overlay(f *edged.Frame, m *edged.Mask) image.Image {
	img := rgbaOf(f, 1)
	if m.Grid.Stride[0] <= 0 || m.Grid.Stride[1] <= 0 || m.W == 0 || m.H == 0 {
		return img
	}
	g := m.Grid.On(f)
	for y := range f.H {
		row := nearest(y, g.Origin[0], g.Stride[0])
		if row < 0 || row >= m.H {
			continue
		}
		for x := range f.W {
			col := nearest(x, g.Origin[1], g.Stride[1])
			if col < 0 || col >= m.W || m.Pix[row*m.Stride+col] == 0 {
				continue
			}
			d, c := img.Pix[y*img.Stride+4*x:][:3:3], palette[int(m.Pix[row*m.Stride+col])%len(palette)]
			d[0], d[1], d[2] = mix(d[0], c.R), mix(d[1], c.G), mix(d[2], c.B)
		}
	}
	return img
}

// nearest is the position whose centre is closest to pixel at, along one axis.
func nearest(at int, origin, stride float64) int {
	return int(math.Floor((float64(at)-origin)/stride + 0.5))
}
