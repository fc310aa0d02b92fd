package model

import (
	"strings"
	"testing"
)

func TestChip(t *testing.T) {
	for operator, want := range map[string]string{
		"edgetpu-custom-op": "Edge TPU", "ethos-u": "Ethos-U", "DISPATCH_OP": "LiteRT", "XC_conv2d_v2": "XMOS",
	} {
		if p := ChipProblem(operator); !strings.Contains(p, want) || !strings.Contains(p, "compiled for") {
			t.Errorf("%s: %q", operator, p)
		}
	}
	for _, operator := range []string{"", "Convolution2DTransposeBias", "TFLite_Detection_PostProcess"} {
		if p := ChipProblem(operator); p != "" {
			t.Errorf("%s: %q", operator, p)
		}
	}
}
