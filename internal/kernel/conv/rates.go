package conv

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"edged/internal/kernel/cpu"
)

// RatesVariable is the environment variable that fixes Rates instead of
// measuring them: four numbers with commas between, as Rates.String writes them.
const RatesVariable = "EDGED_RATES"

// Rates is how fast this machine computes float32 convolutions on one thread:
// what a choice between direct convolution and Winograd's rests on. They are
// rounded, so that noise seldom changes a choice and with it the last bits of
// results.
type Rates struct {
	Direct    float64 `json:"direct_gmac_per_s"`    // direct 3x3 convolution
	Products  float64 `json:"products_gmac_per_s"`  // Winograd's products
	Transform float64 `json:"transform_gval_per_s"` // values into and out of Winograd's planes
	Memory    float64 `json:"memory_gbyte_per_s"`   // reading what the own caches do not hold
}

// String is the rates for RatesVariable.
func (r Rates) String() string {
	return fmt.Sprintf("%.4g,%.4g,%.4g,%.4g", r.Direct, r.Products, r.Transform, r.Memory)
}

// measured is what was measured of this machine, variant by variant: known like
// its instruction sets, since a process must choose alike at every time.
var measured = struct {
	sync.Mutex
	rates      map[cpu.Variant]Rates
	winogradI8 map[cpu.Variant]int // see winogradFrom
}{rates: map[cpu.Variant]Rates{}, winogradI8: map[cpu.Variant]int{}}

// MeasuredRates are the rates of r: fixed by the environment,
// else measured once in a process, which takes a few milliseconds.
func (r *Routines) MeasuredRates() Rates {
	if fixed, err := fixedRates(os.Getenv(RatesVariable)); err == nil && fixed != (Rates{}) {
		return fixed
	}
	measured.Lock()
	defer measured.Unlock()
	rates, ok := measured.rates[r.variant]
	if !ok {
		rates = r.measureRates()
		measured.rates[r.variant] = rates
	}
	return rates
}

// fixedRates reads what Rates.String wrote; nothing gives no rates.
func fixedRates(s string) (Rates, error) {
	if s == "" {
		return Rates{}, nil
	}
	var v [4]float64
	fields := strings.Split(s, ",")
	for i, f := range fields {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || len(fields) != len(v) || !(x > 0) || math.IsInf(x, 0) {
			return Rates{}, fmt.Errorf("kernel: %s=%s: use four positive numbers, as edged inspect --plan shows them", RatesVariable, s)
		}
		v[i] = x
	}
	return Rates{v[0], v[1], v[2], v[3]}, nil
}

// RatesErr is not nil where EDGED_RATES holds no rates.
func RatesErr() error {
	_, err := fixedRates(os.Getenv(RatesVariable))
	return err
}

// rateRows and rateCols are the map that rates are measured on: its input and
// output stay in the second-level cache.
const rateRows, rateCols = 8, 28

// measureRates times both algorithms. With few channels Winograd mostly
// transforms, with many it mostly multiplies; two equations give both rates.
func (r *Routines) measureRates() Rates {
	const few, many = 16, 64
	tiles := float64(rateRows * rateCols / 16)
	direct := seconds(rateRun(many, func(s ConvShape, w []float32) stripRunner {
		return r.NewDirectStripsF32(s, rateCols, w, nil, minusInf, plusInf)
	}))
	winograd := func(s ConvShape, w []float32) stripRunner { return r.NewWinogradF32(s, w, nil, minusInf, plusInf) }
	slow := seconds(rateRun(few, winograd)) / tiles
	fast := seconds(rateRun(many, winograd)) / tiles
	// time of a tile = products / Products + values / Transform, at both widths
	const p1, v1 = winogradPlanes * few * few, winogradPlanes * 2 * few
	const p2, v2 = winogradPlanes * many * many, winogradPlanes * 2 * many
	product := max((fast*v1-slow*v2)/(p2*v1-p1*v2), fast/(2*p2))
	value := max((slow-p1*product)/v1, slow/(16*v1))
	return Rates{
		Direct:    coarse(rateRows * rateCols * 9 * many * many / direct / 1e9),
		Products:  coarse(1 / product / 1e9),
		Transform: coarse(1 / value / 1e9),
		Memory:    coarse(memoryRate()),
	}
}

// stripRunner is a convolution as rates are measured.
type stripRunner interface {
	RunStrips(k *Worker, dst Plane[float32], src Picture, res Plane[float32], rows, cols, lo, hi int)
}

// rateRun gives one run of a convolution of c channels.
func rateRun(c int, pack func(s ConvShape, w []float32) stripRunner) func() {
	s := ConvShape{KH: 3, KW: 3, DY: 1, DX: 1, IC: c, OC: c}
	conv, k := pack(s, make([]float32, 9*c*c)), new(Worker)
	row := (rateCols + 2) * c
	src := Picture{Plane: Plane[float32]{alignedF32((rateRows + 2) * row), row, c}, H: rateRows + 2, W: rateCols + 2}
	dst := Plane[float32]{alignedF32(rateRows * rateCols * c), rateCols * c, c}
	return func() { conv.RunStrips(k, dst, src, Plane[float32]{}, rateRows, rateCols, 0, s.Strips(rateRows)) }
}

// seconds is the shortest of some runs, fewer where they are long: others may
// have the processor meanwhile, and the first one finds cold caches.
func seconds(run func()) float64 {
	const least, most, enough = 2, 6, 2 * time.Millisecond
	best, began := time.Duration(math.MaxInt64), time.Now()
	for i := 0; i < least || i < most && time.Since(began) < enough; i++ {
		start := time.Now()
		run()
		best = min(best, time.Since(start))
	}
	return max(best.Seconds(), 1e-9)
}

// memoryRate is how fast weights are read that other layers have driven out of
// the processor's own caches, in GB a second.
func memoryRate() float64 {
	const size = 2 << 20
	from, to := make([]byte, size), make([]byte, size/8)
	for i := range from {
		from[i] = 1 // memory that was never written is one page of zeros
	}
	return size / 1e9 / seconds(func() {
		for i := 0; i < size; i += len(to) {
			copy(to, from[i:])
		}
	})
}

// coarse rounds to a power of the fourth root of two.
func coarse(x float64) float64 { return math.Exp2(math.Round(4*math.Log2(x)) / 4) }
