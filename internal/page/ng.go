package page

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"sync"
	"time"

	"edged"
)

const (
	ngKept  = 14  // last NGs of a camera
	ngShown = 12  // of them; the others may still be asked for by who has just seen them listed
	ngWidth = 160 // of their pictures, pixels
	ngGap   = time.Second
)

// ng is one of a camera's last NGs.
type ng struct {
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"ts"`
	Verdict string    `json:"verdict"`
	Text    string    `json:"text"` // its first reason
	PartID  string    `json:"part_id,omitempty"`

	w, h int
	pix  []uint8 // RGBA
}

// ngRing keeps the last NGs, viewers or none. Only copies are made under its
// lock: of some 20,000 pixels, once a second at most.
type ngRing struct {
	mu   sync.Mutex
	all  [ngKept]ng
	n    int
	last time.Time
}

// note keeps a small picture of an NG.
func (r *ngRing) note(now time.Time, f *edged.Frame, m *edged.Mask, s *Shot) {
	if now.Sub(r.last) < ngGap { // one goroutine notes
		return
	}
	r.last = now
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &r.all[r.n%ngKept]
	r.n++
	e.Seq, e.Time, e.Verdict, e.PartID, e.Text = s.Seq, s.Time, s.Verdict, s.PartID, ""
	if len(s.Reasons) > 0 {
		e.Text = s.Reasons[0].Text
	}
	e.thumb(f, m)
}

// thumb samples the frame, with the mask's classes outlined in their colours.
func (e *ng) thumb(f *edged.Frame, m *edged.Mask) {
	e.w = min(ngWidth, f.W)
	e.h = max(1, f.H*e.w/f.W)
	if n := 4 * e.w * e.h; cap(e.pix) < n {
		e.pix = make([]uint8, n)
	} else {
		e.pix = e.pix[:n]
	}
	ch := f.Format.Channels()
	for y := range e.h {
		fy := y * f.H / e.h
		for x := range e.w {
			fx := x * f.W / e.w
			src, d := f.Pix[fy*f.Stride+fx*ch:][:ch], e.pix[4*(y*e.w+x):][:4:4]
			switch f.Format {
			case edged.BGR:
				d[0], d[1], d[2] = src[2], src[1], src[0]
			case edged.RGB:
				d[0], d[1], d[2] = src[0], src[1], src[2]
			default:
				d[0], d[1], d[2] = src[0], src[0], src[0]
			}
			d[3] = 255
			if id := classAt(m, fx*f.Scale(), fy*f.Scale()); id != 0 {
				c := palette[int(id)%len(palette)]
				d[0], d[1], d[2] = mix(d[0], c.R), mix(d[1], c.G), mix(d[2], c.B)
			}
		}
	}
}

func mix(a, b uint8) uint8 { return uint8((int(a) + int(b)) / 2) }

// classAt is the class that the mask gives the frame's pixel, 0 outside of it.
func classAt(m *edged.Mask, x, y int) uint8 {
	if m == nil || m.Grid.Stride[0] <= 0 || m.Grid.Stride[1] <= 0 {
		return 0
	}
	row := math.Round((float64(y) - m.Grid.Origin[0]) / m.Grid.Stride[0])
	col := math.Round((float64(x) - m.Grid.Origin[1]) / m.Grid.Stride[1])
	if row < 0 || col < 0 || row >= float64(m.H) || col >= float64(m.W) {
		return 0
	}
	return m.Pix[int(row)*m.Stride+int(col)]
}

// palette is page.css's --class-0 and up; a test compares them. Okabe and Ito's
// colours come first: people tell them apart with any kind of colour vision.
var palette = []color.RGBA{
	{0x8a, 0x94, 0xa0, 255}, {0x56, 0xb4, 0xe9, 255}, {0xe6, 0x9f, 0x00, 255}, {0xcc, 0x79, 0xa7, 255},
	{0x00, 0x9e, 0x73, 255}, {0xf0, 0xe4, 0x42, 255}, {0xd5, 0x5e, 0x00, 255}, {0x00, 0x72, 0xb2, 255},
}

// list is the last NGs, the newest first.
func (r *ngRing) list() []ng {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []ng{}
	for i := r.n - 1; i >= 0 && i >= r.n-ngShown; i-- {
		e := r.all[i%ngKept]
		e.pix = nil
		list = append(list, e)
	}
	return list
}

// jpeg is the picture of the NG numbered seq, nil when it is gone.
func (r *ngRing) jpeg(seq uint64) []byte {
	img := r.image(seq)
	if img == nil {
		return nil
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return nil
	}
	return out.Bytes()
}

func (r *ngRing) image(seq uint64) image.Image {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.all {
		if e := &r.all[i]; e.Seq == seq && e.w > 0 {
			return &image.RGBA{Pix: bytes.Clone(e.pix), Stride: 4 * e.w, Rect: image.Rect(0, 0, e.w, e.h)}
		}
	}
	return nil
}
