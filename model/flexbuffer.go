package model

import (
	"encoding/binary"
	"math"
)

// FlexMap reads a FlexBuffers map of numbers, which custom operators keep their
// options in, into float64 by key; values of other kinds are left out. Booleans
// are 0 and 1.
func FlexMap(b []byte) (map[string]float64, error) {
	if len(b) < 3 {
		return nil, malformed("%d bytes are no FlexBuffers", len(b))
	}
	f := flex(b)
	width, packed := int(b[len(b)-1]), b[len(b)-2]
	if packed>>2 != flexMap {
		return nil, malformed("FlexBuffers whose root, of kind %d, is no map", packed>>2)
	}
	at, ok := f.follow(len(b)-2-width, width)
	if !ok {
		return nil, malformed("FlexBuffers that point outside of themselves")
	}
	return f.entries(at, 1<<(packed&3))
}

// The kinds of FlexBuffers' values that are numbers, or point at some.
const (
	flexInt           = 1
	flexUint          = 2
	flexFloat         = 3
	flexIndirectInt   = 6
	flexIndirectUint  = 7
	flexIndirectFloat = 8
	flexMap           = 9
	flexBool          = 26
)

// flex is the whole buffer. Offsets point backwards from where they stand.
type flex []byte

// entries reads the map whose values begin at: before them its size, the width of
// its keys, and the place of these; behind them a byte of type for each.
func (f flex) entries(at, width int) (map[string]float64, error) {
	n, ok := f.uint(at-width, width)
	keyWidth, okWidth := f.uint(at-2*width, width)
	keys, okKeys := f.follow(at-3*width, width)
	if !ok || !okWidth || !okKeys || n > uint64(len(f)) || keyWidth > 8 {
		return nil, malformed("a FlexBuffers map whose head lies outside")
	}
	out := map[string]float64{}
	for i := range int(n) {
		from, ok := f.follow(keys+i*int(keyWidth), int(keyWidth))
		types := at + int(n)*width
		if !ok || types+i >= len(f) {
			return nil, malformed("entry %d of a FlexBuffers map lies outside", i)
		}
		v, number, ok := f.number(at+i*width, width, f[types+i])
		if !ok {
			return nil, malformed("entry %d of a FlexBuffers map lies outside", i)
		}
		if number {
			out[f.key(from)] = v
		}
	}
	return out, nil
}

// key is the string up to the next zero.
func (f flex) key(from int) string {
	to := from
	for to < len(f) && f[to] != 0 {
		to++
	}
	return string(f[from:to])
}

// number reads the value at a place; where the type says that it is an offset,
// what it points at. number is false for other kinds.
func (f flex) number(at, width int, packed byte) (v float64, number, ok bool) {
	kind := packed >> 2
	if kind == flexIndirectInt || kind == flexIndirectUint || kind == flexIndirectFloat {
		if at, ok = f.follow(at, width); !ok {
			return 0, false, false
		}
		width, kind = 1<<(packed&3), kind-(flexIndirectInt-flexInt)
	}
	u, ok := f.uint(at, width)
	switch {
	case !ok:
		return 0, false, false
	case kind == flexUint || kind == flexBool:
		return float64(u), true, true
	case kind == flexInt:
		shift := 64 - 8*width
		return float64(int64(u<<shift) >> shift), true, true
	case kind == flexFloat && width == 4:
		return float64(math.Float32frombits(uint32(u))), true, true
	case kind == flexFloat && width == 8:
		return math.Float64frombits(u), true, true
	}
	return 0, false, true
}

// follow goes where the offset at a place points.
func (f flex) follow(at, width int) (int, bool) {
	back, ok := f.uint(at, width)
	if !ok || back > uint64(at) {
		return 0, false
	}
	return at - int(back), true
}

func (f flex) uint(at, width int) (uint64, bool) {
	if at < 0 || at > len(f)-width {
		return 0, false
	}
	switch b := f[at:]; width {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), true
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), true
	case 8:
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}
