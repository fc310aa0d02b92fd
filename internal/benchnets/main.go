// Command benchnets writes the nets that edged's speed is measured on: graphs
// of well-known shapes with random weights, since speed does not depend on
// what a net has learnt.
//
//	go run ./internal/benchnets -o DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"edged/model"
)

func main() {
	dir := flag.String("o", ".", "folder of the .tflite files")
	flag.Parse()
	for name, m := range nets() {
		if err := write(filepath.Join(*dir, name+".tflite"), m); err != nil {
			fmt.Fprintln(os.Stderr, "benchnets:", err)
			os.Exit(1)
		}
	}
}

func write(path string, m *model.Model) error {
	b, err := m.Write()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, b, 0o644)
}

// nets are the nets by name. The vgg ones are patch classifiers, to be made
// dense by edged rewrite.
func nets() map[string]*model.Model {
	wide, narrow := []int{32, 32, 64, 64, 128, 128, 128, 128}, []int{8, 8, 16, 16, 24, 24, 24, 24}
	all := map[string]*model.Model{}
	for suffix, typ := range map[string]model.TensorType{"_f32": model.TypeFloat32, "_int8": model.TypeInt8, "_uint8": model.TypeUint8} {
		all["vgg_wide"+suffix] = vgg(typ, wide)
		all["vgg_narrow"+suffix] = vgg(typ, narrow)
		all["mobilenet_v1_224"+suffix] = mobilenet(typ)
	}
	return all
}

// vggPatch is the receptive field of vgg, so that its output is 1x1.
const vggPatch = 68

// vgg is 3x3 VALID convolutions of the widths given, two before each of three
// 2x2 max pools and the rest behind, and a 1x1 convolution to five classes.
func vgg(typ model.TensorType, widths []int) *model.Model {
	n := newNet(typ, vggPatch)
	x := n.input
	for i, w := range widths {
		if i == 2 || i == 4 || i == 6 {
			x = n.maxPool(x)
		}
		x = n.conv(x, w, 3, 1, model.PaddingValid, true)
	}
	return n.Model(n.conv(x, 5, 1, 1, model.PaddingValid, false))
}

// mobilenet is MobileNetV1 1.0 at 224x224 (Howard et al., arXiv 1704.04861).
func mobilenet(typ model.TensorType) *model.Model {
	n := newNet(typ, 224)
	x := n.conv(n.input, 32, 3, 2, model.PaddingSame, true)
	for _, l := range []struct{ stride, width int }{{1, 64}, {2, 128}, {1, 128}, {2, 256}, {1, 256}, {2, 512},
		{1, 512}, {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024}} {
		x = n.depthwise(x, l.stride)
		x = n.conv(x, l.width, 1, 1, model.PaddingSame, true)
	}
	pool := n.AvgPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 7, FilterWidth: 7, StrideH: 1, StrideW: 1})
	if n.quantised() {
		n.Quant(pool, n.scale, n.zero)
	}
	return n.Model(n.conv(pool, 1000, 1, 1, model.PaddingSame, false))
}
