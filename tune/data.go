package tune

import (
	"errors"
	"fmt"
	"math"

	"edged"
	"edged/model"
)

// data is which frames are learnt from and which are kept back.
type data struct {
	learn, kept []int
	masks       [][]byte // as they are learnt
	warnings    []string
}

// look checks the frames and splits them.
func (n *net) look(frames []Frame, o Options) (*data, error) {
	if len(frames) == 0 {
		return nil, errors.New("tune: no frame to learn from")
	}
	d := &data{}
	for i, f := range frames {
		if len(f.Pix) != n.frame[0]*n.frame[1]*n.frame[2] || len(f.Mask) != n.frame[0]*n.frame[1] {
			return nil, fmt.Errorf("tune: BUG: frame %s is not of the net's size", f.Name)
		}
		for at, c := range f.Mask {
			if int(c) >= n.classes && c != Ignore {
				return nil, fmt.Errorf("tune: mask of %s: class id %d at (%d, %d): the net knows 0 to %d, and %d is ignored", f.Name, c, at%n.frame[1], at/n.frame[1], n.classes-1, Ignore)
			}
		}
		d.masks = append(d.masks, bandIgnored(f.Mask, n.frame[0], n.frame[1], o.Band))
		if len(frames) > 1 && (i%4 == 3 || len(frames) < 4 && i == len(frames)-1) {
			d.kept = append(d.kept, i)
		} else {
			d.learn = append(d.learn, i)
		}
	}
	if len(d.kept) == 0 {
		d.kept = d.learn
		d.warnings = append(d.warnings, "with one frame nothing can be kept back: mIoU is that of the frame that is learnt, and says little of others")
	}
	return d, n.classesOf(d, o.Band)
}

// classesOf looks at what is left to learn from: several classes, with pixels
// enough.
func (n *net) classesOf(d *data, band int) error {
	var learnt, kept [256]int
	for _, i := range d.learn {
		for _, c := range d.masks[i] {
			learnt[c]++
		}
	}
	for _, i := range d.kept {
		for _, c := range d.masks[i] {
			kept[c]++
		}
	}
	seen, judged := 0, 0
	for c := range n.classes {
		name := n.className(c)
		switch {
		case learnt[c] == 0 && kept[c] > 0:
			d.warnings = append(d.warnings, fmt.Sprintf("class %s occurs in frames that are kept back alone (one of four, by name): nothing of it is learnt; more frames that have it help", name))
		case learnt[c] == 0:
			d.warnings = append(d.warnings, fmt.Sprintf("class %s does not occur in the masks: the net may forget it", name))
		case learnt[c] < fewPixels:
			d.warnings = append(d.warnings, fmt.Sprintf("class %s has %d pixels in all masks that are learnt from: that is little", name, learnt[c]))
		}
		if learnt[c] > 0 {
			seen++
		}
		judged += kept[c]
	}
	beside := ""
	if band > 0 {
		beside = fmt.Sprintf(" beside the band of %d at boundaries that --ignore-band leaves out", band)
	}
	switch {
	case seen == 0:
		return fmt.Errorf("tune: the masks show nothing but %d, which is ignored%s: nothing is left to learn from", Ignore, beside)
	case seen < 2:
		return fmt.Errorf("tune: the masks show 1 class of the net's %d%s: a net that sees one class alone learns to say that alone", n.classes, beside)
	case judged == 0:
		return fmt.Errorf("tune: the masks of the frames kept back (one of four, by name) show nothing but %d, which is ignored%s: nothing is left to judge by", Ignore, beside)
	}
	return nil
}

// fewPixels of a class are worth a warning.
const fewPixels = 200

func (n *net) className(c int) string {
	if c < len(n.f.Labels) {
		return fmt.Sprintf("%q", n.f.Labels[c])
	}
	return fmt.Sprint(c)
}

// bandIgnored is a mask in which pixels nearer than band to another class are
// ignored: where two people would draw the line differently.
func bandIgnored(mask []byte, h, w, band int) []byte {
	out := append([]byte{}, mask...)
	if band <= 0 {
		return out
	}
	ignore := func(y, x int) {
		for v := max(0, y-band+1); v < min(h, y+band); v++ {
			for u := max(0, x-band+1); u < min(w, x+band); u++ {
				out[v*w+u] = Ignore
			}
		}
	}
	for y := range h {
		for x := range w {
			c := mask[y*w+x]
			if x+1 < w && mask[y*w+x+1] != c {
				ignore(y, x)
				ignore(y, x+1)
			}
			if y+1 < h && mask[(y+1)*w+x] != c {
				ignore(y, x)
				ignore(y+1, x)
			}
		}
	}
	return out
}

// judge is the mIoU of a net of n's shape on frames, by the engine.
func (n *net) judge(m *model.Model, frames []Frame, which []int, o Options) (float64, error) {
	file, err := m.Write()
	if err != nil {
		return 0, err
	}
	e, err := o.Open(file, edged.Options{Threads: o.Threads, Exact: true})
	if err != nil {
		return 0, fmt.Errorf("tune: %w", err)
	}
	defer e.Close()
	truth, got, both := make([]int, n.classes), make([]int, n.classes), make([]int, n.classes)
	for _, i := range which {
		n.prepare(edged.View[float32](e.Input(0)), frames[i].Pix)
		if err := e.Run(); err != nil {
			return 0, fmt.Errorf("tune: %w", err)
		}
		s := e.Outputs()[n.at].Shape
		v := edged.View[float32](e.Output(n.at))
		for p := range s[1] * s[2] {
			y := int(math.RoundToEven(n.f.Grid.Origin[0] + float64(p/s[2])*n.f.Grid.Stride[0]))
			x := int(math.RoundToEven(n.f.Grid.Origin[1] + float64(p%s[2])*n.f.Grid.Stride[1]))
			if y < 0 || x < 0 || y >= n.frame[0] || x >= n.frame[1] || frames[i].Mask[y*n.frame[1]+x] == Ignore {
				continue
			}
			t, g := int(frames[i].Mask[y*n.frame[1]+x]), n.classOf(v[p*s[3]:(p+1)*s[3]])
			truth[t]++
			got[g]++
			if t == g {
				both[t]++
			}
		}
	}
	return meanIoU(truth, got, both), nil
}

func meanIoU(truth, got, both []int) float64 {
	sum, n := 0.0, 0
	for c := range truth {
		if either := truth[c] + got[c] - both[c]; either > 0 {
			sum, n = sum+float64(both[c])/float64(either), n+1
		}
	}
	return sum / float64(max(1, n))
}

func (n *net) classOf(v []float32) int {
	if len(v) == 1 {
		if float64(v[0]) >= n.threshold() {
			return 1
		}
		return 0
	}
	at := 0
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}

// threshold is from where a single channel means class 1.
func (n *net) threshold() float64 {
	if n.f.Output.Threshold == 0 && n.f.Output.Kind() == "probabilities" {
		return 0.5
	}
	return n.f.Output.Threshold
}

// prepare computes (pixel-mean)*scale.
func (n *net) prepare(dst []float32, pix []byte) {
	c := n.frame[2]
	mean, scale := perChannel(n.f.Input.Mean, c, 0), perChannel(n.f.Input.Scale, c, 1)
	for i, p := range pix {
		dst[i] = (float32(p) - float32(mean[i%c])) * float32(scale[i%c])
	}
}

// perChannel repeats a single number for every channel.
func perChannel(list []float64, c int, none float64) []float64 {
	out := make([]float64, c)
	for i := range out {
		out[i] = none
		if len(list) > 0 {
			out[i] = list[i%len(list)]
		}
	}
	return out
}
