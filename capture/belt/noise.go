package belt

import "math"

// rng is splitmix64: any (seed, lane, cell ...) tuple starts a stream of its
// own, so that what is drawn at one place of the belt never depends on the order
// in which places are rendered.
type rng uint64

func newRNG(keys ...uint64) rng {
	h := uint64(0x9e3779b97f4a7c15)
	for _, k := range keys {
		h = mix(h ^ mix(k))
	}
	return rng(h)
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	return mix(uint64(*r))
}

// float is uniform in [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// in is uniform in [lo, hi).
func (r *rng) in(lo, hi float64) float64 { return lo + (hi-lo)*r.float() }

// n is uniform in 0..n-1.
func (r *rng) n(n int) int { return int(r.next() % uint64(n)) }

func (r *rng) gauss() float64 {
	u := 1 - r.float() // (0, 1]: the logarithm stays finite
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*r.float())
}

// texSize is the side of the square, wrapping textures; a power of two so that
// wrapping is a mask.
const (
	texSize = 512
	texMask = texSize - 1
)

// texture is a wrapping square of values, about -1..1.
type texture []float32

// at samples bilinearly at (x, y), in texels.
func (t texture) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ax, ay := float32(x-fx), float32(y-fy)
	ix, iy := int(fx)&texMask, int(fy)&texMask
	jx, jy := (ix+1)&texMask, (iy+1)&texMask
	a := t[iy*texSize+ix]
	b := t[iy*texSize+jx]
	c := t[jy*texSize+ix]
	d := t[jy*texSize+jx]
	top, bottom := a+(b-a)*ax, c+(d-c)*ax
	return float64(top + (bottom-top)*ay)
}

// addOctave adds smooth noise on a lattice of nx x ny cells, times amp.
func (t texture) addOctave(r *rng, nx, ny int, amp float64) {
	lattice := make([]float64, nx*ny)
	for i := range lattice {
		lattice[i] = r.in(-1, 1)
	}
	for y := range texSize {
		v := float64(y) * float64(ny) / texSize
		iy := int(v)
		ay := fade(v - float64(iy))
		for x := range texSize {
			u := float64(x) * float64(nx) / texSize
			ix := int(u)
			ax := fade(u - float64(ix))
			jx, jy := (ix+1)%nx, (iy+1)%ny
			top := lerp(lattice[iy*nx+ix], lattice[iy*nx+jx], ax)
			bottom := lerp(lattice[jy*nx+ix], lattice[jy*nx+jx], ax)
			t[y*texSize+x] += float32(amp * lerp(top, bottom, ay))
		}
	}
}

// newCloud is isotropic noise of five octaves, the largest a quarter of the
// texture: dirt, stains, uneven rolling.
func newCloud(r *rng) texture {
	t := make(texture, texSize*texSize)
	for n, amp := 8, 0.55; n <= 128; n, amp = n*2, amp*0.55 {
		t.addOctave(r, n, n, amp)
	}
	return t
}

// newBrush is noise drawn out along x: the marks of a grinding belt. Fine
// across (one texel), some 20 to 130 texels long, with a few strong lines.
func newBrush(r *rng) texture {
	t := make(texture, texSize*texSize)
	t.addOctave(r, 4, texSize, 0.34)
	t.addOctave(r, 12, texSize, 0.30)
	t.addOctave(r, 28, texSize/2, 0.22)
	t.addOctave(r, 6, texSize/8, 0.22)
	t.addOctave(r, 128, texSize, 0.10)
	for y := range texSize { // one line in twenty was cut by a coarser grain
		if r.float() > 0.05 {
			continue
		}
		from, length := r.n(texSize), 60+r.n(240)
		depth := float32(r.in(-0.75, 0.5))
		for i := range length {
			taper := float32(fade(1 - math.Abs(2*float64(i)/float64(length)-1)))
			t[y*texSize+(from+i)&texMask] += depth * taper
		}
	}
	return t
}

// grainLen is the number of pixels in the strip of sensor noise.
const grainLen = 1 << 16

// newGrain is sensor noise for three interleaved channels: mostly brightness,
// a little colour, as a demosaiced sensor gives. sigma is in grey levels. The
// tail of maxWidth pixels repeats the head, so a row may start anywhere.
func newGrain(r *rng, sigma float64, maxWidth int) []int8 {
	strip := make([]int8, 3*(grainLen+maxWidth))
	last := 0.0
	for i := range grainLen {
		fresh := r.gauss()
		luma := 0.85*fresh + 0.45*last // neighbours share some of it
		last = fresh
		for c := range 3 {
			v := sigma * (luma + 0.35*r.gauss())
			strip[3*i+c] = int8(max(-100, min(100, math.Round(v))))
		}
	}
	for i := 3 * grainLen; i < len(strip); i++ {
		strip[i] = strip[i-3*grainLen]
	}
	return strip
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

// fade is the smooth step of t in 0..1.
func fade(t float64) float64 { return t * t * (3 - 2*t) }

// step rises smoothly from 0 at lo to 1 at hi.
func step(lo, hi, x float64) float64 {
	return fade(max(0, min(1, (x-lo)/(hi-lo))))
}

// bump is a smooth hill of height 1 and half width w around 0, 0 outside.
func bump(x, w float64) float64 {
	t := 1 - x*x/(w*w)
	if t <= 0 {
		return 0
	}
	return t * t
}
