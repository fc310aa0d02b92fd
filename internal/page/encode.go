package page

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"slices"
	"time"

	"golang.org/x/image/draw"

	"edged"
	"edged/internal/maskpng"
	"edged/internal/spare"
)

const (
	// wanted is how long after a viewer's request pictures are still made.
	wanted = 2 * time.Second

	// restFor is how many times the processor's time that a picture took nothing is
	// encoded for afterwards: all cameras together take less than a tenth of a core.
	restFor = 11

	// livePixels bounds the picture that goes with a mask; a snapshot is whole.
	livePixels = 1 << 20

	jpegQuality = 80
)

// picture is a frame of ours with what came of it.
type picture struct {
	at    time.Time // when it was copied
	frame edged.Frame
	mask  edged.Mask
	shot  Shot
	raw   string // why there is no result; empty: there is one
}

// fill copies what is only lent.
func (p *picture) fill(now time.Time, f *edged.Frame, m *edged.Mask, s *Shot, raw string) {
	pix, ids := p.frame.Pix, p.mask.Pix
	p.at, p.raw, p.frame = now, raw, *f
	p.frame.Pix = append(pix[:0], f.Pix[:(f.H-1)*f.Stride+f.W*f.Format.Channels()]...)
	p.mask = edged.Mask{Pix: ids[:0]}
	if m != nil {
		p.mask = *m
		p.mask.Pix = append(ids[:0], m.Pix[:(m.H-1)*m.Stride+m.W]...)
	}
	p.shot = *s
	p.shot.Labels, p.shot.Pixels, p.shot.Reasons = slices.Clone(s.Labels), slices.Clone(s.Pixels), slices.Clone(s.Reasons)
}

// made is what viewers get of one picture. Nobody changes it.
type made struct {
	id   uint64 // the result's seq; above rawID for a frame without
	at   time.Time
	shot Shot
	live []byte
	full map[Wish]jpegOf
}

type jpegOf struct {
	data []byte
	err  error
}

// rawID is where the numbers of pictures without a result begin; JavaScript
// still counts exactly there.
const rawID = 1 << 52

// want has pictures for viewers made for a while.
func (p *Page) want(c *camera) {
	c.wantedUntil.Store(time.Now().Add(wanted))
	p.start(c)
}

// start has pictures made as long as anybody wants one.
func (p *Page) start(c *camera) {
	if p.stop.Err() == nil && c.running.CompareAndSwap(false, true) {
		go p.makePictures(c)
	}
}

// isWatched tells whether a viewer wants pictures.
func (c *camera) isWatched() bool { return time.Now().Before(c.wantedUntil.Load()) }

func (c *camera) isWanted() bool { return c.wishes.Load() > 0 || c.isWatched() }

// makePictures asks for frames and encodes them, while somebody looks.
func (p *Page) makePictures(c *camera) {
	for p.stop.Err() == nil && c.isWanted() {
		c.ask.Store(true)
		for !p.taken(c) {
			if p.stop.Err() == nil && c.isWanted() {
				continue
			}
			if c.ask.CompareAndSwap(true, false) {
				break // nobody has begun to copy
			}
			<-c.given // a copy is on its way
			break
		}
	}
	if !c.keep {
		c.taken = picture{} // a frame is a lot to keep for nobody
	}
	c.running.Store(false)
	if c.isWanted() {
		p.start(c) // somebody came meanwhile
	}
}

// taken waits for a frame, and encodes the one that comes.
func (p *Page) taken(c *camera) bool {
	select {
	case <-c.given:
	case <-p.stop.Done():
		return false
	case <-time.After(wanted / 4):
		return false
	}
	select {
	case p.turn <- struct{}{}:
	case <-p.stop.Done():
		return true
	}
	took := spare.ProcessorTime(func() { c.publish(c.make(&c.taken)) })
	select {
	case <-time.After(restFor * took):
	case <-p.stop.Done():
	}
	<-p.turn
	return true
}

// publish wakes the viewers.
func (c *camera) publish(m *made) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = m
	close(c.changed)
	c.changed = make(chan struct{})
}

// make encodes a picture, once for all viewers.
func (c *camera) make(p *picture) *made {
	m := &made{id: p.shot.Seq, at: p.at, shot: p.shot, full: map[Wish]jpegOf{}}
	c.mu.Lock()
	if p.raw != "" {
		c.raws++
		m.id = rawID + c.raws
	}
	wishes := slices.Collect(maps.Keys(c.full))
	c.mu.Unlock()
	if len(wishes) == 0 || c.isWatched() { // the last viewer may have gone while this waited for its turn
		m.live = c.body(p, m.id)
	}
	for _, w := range wishes {
		if p.raw == "" {
			m.full[w] = w.jpeg(p)
		}
	}
	return m
}

// Body is a picture of a camera as live viewers get it; raw says why there is no
// result, empty where there is one.
func Body(name string, f *edged.Frame, m *edged.Mask, s *Shot, raw string) []byte {
	var p picture
	p.fill(time.Now(), f, m, s, raw)
	return (&camera{name: name}).body(&p, s.Seq)
}

// head is the shot with what places its mask on the frame.
type head struct {
	*Shot
	Camera string     `json:"camera"`
	ID     uint64     `json:"id"`
	Raw    string     `json:"raw,omitempty"` // why there is no result
	Frame  [2]int     `json:"frame"`         // width, height
	Mask   [2]int     `json:"mask"`
	Stride [2]float64 `json:"stride"` // y, x
	Origin [2]float64 `json:"origin"`
	Rate   float64    `json:"rate"` // results a second
}

// body is what a viewer gets: three times a 32-bit big-endian length and so many
// bytes, for the head's JSON, the frame's JPEG and the mask's PNG.
func (c *camera) body(p *picture, id uint64) []byte {
	h, err := json.Marshal(head{
		Shot: &p.shot, Camera: c.name, ID: id, Raw: p.raw,
		Frame: [2]int{p.frame.W * p.frame.Scale(), p.frame.H * p.frame.Scale()}, Mask: [2]int{p.mask.W, p.mask.H},
		Stride: p.mask.Grid.Stride, Origin: p.mask.Grid.Origin, Rate: c.rate(),
	})
	if err != nil {
		h = []byte(`{}`) // a number that is none: the page says that it cannot read it
	}
	var j bytes.Buffer
	if err := jpeg.Encode(&j, imageOf(&p.frame, liveStep(p.frame.W, p.frame.H)), &jpeg.Options{Quality: jpegQuality}); err != nil {
		j.Reset()
	}
	var ids []byte
	if p.raw == "" && p.mask.W > 0 {
		var e maskpng.Encoder
		if ids, err = e.Encode(nil, &p.mask, p.shot.Seq, p.shot.Time); err != nil {
			ids = nil
		}
	}
	var out []byte
	for _, part := range [][]byte{h, j.Bytes(), ids} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

// liveStep is by how much a frame is made smaller for the page.
func liveStep(w, h int) int {
	step := 1
	for (w/step)*(h/step) > livePixels {
		step++
	}
	return step
}

// FitJPEG encodes img in at most limit bytes: coarser, then smaller.
func FitJPEG(img image.Image, limit int) ([]byte, error) {
	for {
		for _, quality := range []int{jpegQuality, 60, 40} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
				return nil, fmt.Errorf("page: %w", err)
			}
			if out.Len() <= limit {
				return out.Bytes(), nil
			}
		}
		b := img.Bounds()
		if b.Dx() < 2 || b.Dy() < 2 {
			return nil, fmt.Errorf("page: no picture fits %d bytes", limit)
		}
		half := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
		draw.ApproxBiLinear.Scale(half, half.Bounds(), img, b, draw.Src, nil)
		img = half
	}
}

// imageOf converts a frame for Go's encoders, each step by step pixels to their
// mean.
func imageOf(f *edged.Frame, step int) image.Image {
	if f.Format == edged.Gray && step == 1 {
		return &image.Gray{Pix: f.Pix, Stride: f.Stride, Rect: image.Rect(0, 0, f.W, f.H)}
	}
	return rgbaOf(f, step)
}

// rgbaOf copies a frame of any format, each pixel the mean of step by step.
func rgbaOf(f *edged.Frame, step int) *image.RGBA {
	red, green, blue, ch := 0, 1, 2, f.Format.Channels()
	switch f.Format {
	case edged.BGR:
		red, blue = 2, 0
	case edged.Gray:
		green, blue = 0, 0
	}
	w, h := max(1, f.W/step), max(1, f.H/step)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		dst := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			var r, g, b int
			for dy := range step {
				src := f.Pix[(y*step+dy)*f.Stride+x*step*ch:][:step*ch]
				for at := 0; at < len(src); at += ch {
					r, g, b = r+int(src[at+red]), g+int(src[at+green]), b+int(src[at+blue])
				}
			}
			n := step * step
			d := dst[4*x : 4*x+4 : 4*x+4]
			d[0], d[1], d[2], d[3] = uint8(r/n), uint8(g/n), uint8(b/n), 255
		}
	}
	return img
}
