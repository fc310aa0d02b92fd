package model

import "strings"

// chips are the custom operators that compilers leave behind, and what runs them.
var chips = []struct{ operator, chip string }{
	{"edgetpu-custom-op", "Google's Edge TPU (Coral)"},
	{"ethos-u", "an Arm Ethos-U"},
	{"vsi-npu", "a VeriSilicon (Vivante) NPU"},
	{"NeutronGraph", "an NXP eIQ Neutron"},
	{"mtkext", "a MediaTek APU"},
	{"MTK_", "a MediaTek APU"},
	{"DISPATCH_OP", "an NPU, by a LiteRT compiler"},
	{"QNN", "a Qualcomm Hexagon"},
	{"XC_", "an XMOS xcore"},
}

// Chip is the chip that a file with such a custom operator was compiled for,
// empty: for none that is known. What it computes lies in the chip's own code.
func Chip(customOperator string) string {
	for _, c := range chips {
		if strings.HasPrefix(customOperator, c.operator) {
			return c.chip
		}
	}
	return ""
}

// chipCure is what to do about a file for a chip.
const chipCure = "the original .tflite, from before it was compiled, is what runs here"

// ChipProblem says what is wrong with a custom operator that a chip's compiler
// wrote; empty: it is none.
func ChipProblem(customOperator string) string {
	chip := Chip(customOperator)
	if chip == "" {
		return ""
	}
	return "the file is compiled for " + chip + ", whose code nothing else runs: " + chipCure
}
