//go:build tflite && cgo

package rewrite

import (
	"strings"
	"testing"

	"edged/model"
)

// zooCase is a net, how it is to be rewritten, and the form that auto should
// find, or the words that the refusal should hold.
type zooCase struct {
	name    string
	net     *model.Model
	o       Options
	form    Form
	refused string
}

func zoo() []zooCase {
	f32, i8, u8 := model.TypeFloat32, model.TypeInt8, model.TypeUint8
	big, wide := [2]int{40, 37}, [2]int{107, 101}
	return []zooCase{
		{"vgg", vggLike(f32), Options{Input: big}, Dilated, ""},
		{"vgg int8", vggLike(i8), Options{Input: big}, Dilated, ""},
		{"vgg uint8", vggLike(u8), Options{Input: big}, Dilated, ""},
		{"mobilenet patch", mobileNetLike(f32, true), Options{Input: big}, "", "--contract frame"},
		{"mobilenet", mobileNetLike(f32, true), Options{Input: wide, Contract: Frame}, Dilated, ""},
		{"mobilenet int8", mobileNetLike(i8, false), Options{Input: wide, Contract: Frame}, Dilated, ""},
		{"mobilenet int8 keep", mobileNetLike(i8, true), Options{Input: wide, Contract: Frame}, Dilated, ""},
		{"valid mobilenet", validMobile(f32, true), Options{Input: big}, Dilated, ""},
		{"valid mobilenet int8", validMobile(i8, true), Options{Input: big}, Dilated, ""},
		{"valid mobilenet uint8", validMobile(u8, false), Options{Input: big}, Dilated, ""},
		{"resnet", resNetLike(), Options{}, Dilated, ""},
		{"resnet larger", resNetLike(), Options{Input: [2]int{76, 81}}, Dilated, ""},
		{"unet", uNetLike(2), Options{}, Shifts, ""},
		{"half unet", uNetLike(1), Options{}, Shifts, ""},
		{"half unet dilated", uNetLike(1), Options{Form: Dilated}, "", "RESIZE_BILINEAR"},
		{"squeeze-excite", squeezeExcite(), Options{}, Shifts, ""},
		{"squeeze-excite dilated", squeezeExcite(), Options{Form: Dilated}, "", "MUL"},
		{"densenet", denseNetLike(f32), Options{}, Dilated, ""},
		{"densenet int8", denseNetLike(i8), Options{}, Dilated, ""},
		{"torch", torchLike(), Options{Input: [2]int{31, 29}}, Dilated, ""},
		{"torch gap", torchGap(), Options{Input: [2]int{31, 29}}, Dilated, ""},
		{"keras", kerasLike(), Options{Input: [2]int{31, 29}}, Dilated, ""},
		{"quantised inside", borderQuant(), Options{}, Dilated, ""},
		{"float16 weights", halfWeights(), Options{}, Dilated, ""},
		{"two heads", twoHeads(), Options{}, Dilated, ""},
		{"two heads shifts", twoHeads(), Options{Form: Shifts}, Shifts, ""},
		{"two heads at 2", twoHeads(), Options{OutputStride: [2]int{2, 2}}, Dilated, ""},
		{"shuffled", shuffled(), Options{}, Dilated, ""},
		{"attention", attention(), Options{}, Shifts, ""},
		{"boxes", boxes(), Options{}, "", `--cut "features"`},
		{"boxes cut", boxes(), Options{Cuts: []string{"features"}}, Dilated, ""},
		{"position", position(), Options{Form: Dilated}, "", "differs from position to position"},
		{"position auto", position(), Options{}, "", "differs from position to position"},
		{"position shifts", position(), Options{Form: Shifts}, Shifts, ""},
		{"focus", focus(true), Options{}, Dilated, ""},
		{"space to depth", focus(false), Options{}, Dilated, ""},
		{"atrous", atrous(f32), Options{}, Dilated, ""},
		{"atrous int8", atrous(i8), Options{}, Dilated, ""},
		{"atrous shifts", atrous(i8), Options{Form: Shifts}, Shifts, ""},
		{"arg max", argMax(), Options{}, Dilated, ""},
		{"arg max fragments", argMax(), Options{Form: Fragments}, Fragments, ""},
		{"split", splitJoin(), Options{}, Dilated, ""},
		{"dense on map", denseOnMap(f32), Options{}, Dilated, ""},
		{"dense on map int8", denseOnMap(i8), Options{}, Dilated, ""},
		{"rows inside", rowsInside(), Options{}, Dilated, ""},
		{"rows inside shifts", rowsInside(), Options{Form: Shifts}, Shifts, ""},
		{"rank 3", greyRank3(), Options{}, Dilated, ""},
		{"rank 3 shifts", greyRank3(), Options{Form: Shifts}, Shifts, ""},
		{"inception", inception(f32), Options{}, Dilated, ""},
		{"inception int8", inception(i8), Options{}, Dilated, ""},
		{"inception fragments", inception(i8), Options{Form: Fragments}, Fragments, ""},
		{"global max", globalMax(), Options{Input: big}, Dilated, ""},
		{"conv head", convHead(f32), Options{Input: big}, Dilated, ""},
		{"conv head int8", convHead(i8), Options{Input: big}, Dilated, ""},
		{"lowest pad", lowestPad(), Options{}, Dilated, ""},
		{"channel mean", channelMean(), Options{}, Dilated, ""},
		{"channel pad", channelPad(), Options{}, Dilated, ""},
		{"NCHW out", outNCHW(), Options{}, Dilated, ""},
		{"NCHW out shifts", outNCHW(), Options{Form: Shifts}, Shifts, ""},
		{"hybrid", hybrid(), Options{}, Shifts, ""},
		{"transposed", upAndOut(), Options{}, Shifts, ""},
		{"torch shifts", torchLike(), Options{Form: Shifts, Input: [2]int{31, 29}}, Shifts, ""},
		{"densenet fragments", denseNetLike(i8), Options{Form: Fragments}, Fragments, ""},
		{"resnet fragments", resNetLike(), Options{Form: Fragments, Input: [2]int{76, 81}}, Fragments, ""},
		{"mobilenet int8 fragments", mobileNetLike(i8, false), Options{Form: Fragments, Input: wide, Contract: Frame}, Fragments, ""},
		{"mobilenet at 4", mobileNetLike(i8, true), Options{OutputStride: [2]int{4, 4}, Input: wide, Contract: Frame}, Dilated, ""},
	}
}

func TestZoo(t *testing.T) {
	for _, c := range zoo() {
		t.Run(c.name, func(t *testing.T) {
			_, err := Rewrite(c.net, "00", c.o)
			if c.refused != "" {
				if asRefusal(err) == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("error %v, want a refusal with %q", err, c.refused)
				}
				return
			}
			rep := proven(t, c.net, c.o)
			if Form(rep.Form) != c.form {
				t.Errorf("form %s, want %s", rep.Form, c.form)
			}
			t.Logf("%d positions, %d phases, identical %v, max %g of %g, band %v", rep.Positions, rep.Phases, rep.BitIdentical, rep.MaxAbsDiff, rep.Bound, rep.Band)
		})
	}
}
