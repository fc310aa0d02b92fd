// Command gen writes the assembly of internal/kernel. Run it in its own folder:
//
//	go run . -o ..        write the files
//	go run . -o .. -check fail when a file is not what would be written
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

var files = map[string]func() []byte{
	"conv_f32_avx512_amd64.s":      convF32AVX512,
	"conv_f32_avx2_amd64.s":        convF32AVX2,
	"depthwise_f32_avx512_amd64.s": func() []byte { return depthwiseF32(avx512, "AVX512", 14) },
	"depthwise_f32_avx2_amd64.s":   func() []byte { return depthwiseF32(avx2, "AVX2", 8) },
	"depthwise_f32_amd64.go": func() []byte {
		return stubs("amd64", "depthwiseF32", "convCall", 1, []variant{{"AVX512", 16, 14}, {"AVX2", 8, 8}})
	},
	"dot_f32_avx2_amd64.s":        dotF32AVX2,
	"winograd_avx512_amd64.s":     func() []byte { return winograd(avx512, "AVX512") },
	"winograd_avx2_amd64.s":       func() []byte { return winograd(avx2, "AVX2") },
	"pool_f32_avx512_amd64.s":     func() []byte { return pool(avx512, "AVX512") },
	"pool_f32_avx2_amd64.s":       func() []byte { return pool(avx2, "AVX2") },
	"winograd_mul_avx512_amd64.s": func() []byte { return winogradMuls(avx512, "AVX512", mulAVX512) },
	"winograd_mul_avx2_amd64.s":   func() []byte { return winogradMuls(avx2, "AVX2", mulAVX2) },
	"winograd_mul_amd64.go": func() []byte {
		return winogradMulStubs("amd64", mulVariant{"AVX512", mulAVX512}, mulVariant{"AVX2", mulAVX2})
	},
	"dot_f32_neon_arm64.s":       dotF32NEON,
	"lerp_f32_arm64.s":           lerpNEON,
	"pool_f32_neon_arm64.s":      poolNEON,
	"winograd_neon_arm64.s":      winogradNEON,
	"winograd_mul_neon_arm64.s":  winogradMulsNEON,
	"winograd_mul_arm64.go":      func() []byte { return winogradMulStubs("arm64", mulVariant{"NEON", mulNEON}) },
	"depthwise_i8_vnni_amd64.s":  func() []byte { return depthwiseI8VNNI("VNNI", "VPMOVZXBW.Z") },
	"depthwise_i8_vnnis_amd64.s": func() []byte { return depthwiseI8VNNI("VNNISigned", "VPMOVSXBW.Z") },
	"depthwise_columns_amd64.s":  depthwiseColumnsVNNI,
	"depthwise_columns_amd64.go": func() []byte {
		return stubs("amd64", "depthColumns", "convCallI8", 2, []variant{{"Up", 32, 2}, {"Away", 32, 2}, {"UpRest", 32, 2}, {"AwayRest", 32, 2}})
	},
	"depthwise_i8_amd64.go": func() []byte {
		return stubs("amd64", "depthwiseI8", "convCallI8", 1, []variant{{"VNNI", 32, depthwiseMaxM}, {"VNNISigned", 32, depthwiseMaxM},
			{"AVX2", 16, depthwiseAVX2MaxM}, {"AVX2Signed", 16, depthwiseAVX2MaxM}})
	},
	"depthwise_i8_avx2_amd64.s":  func() []byte { return depthwiseI8AVX2("AVX2", "VPMOVZXBW", unsignedPacking) },
	"depthwise_i8_avx2s_amd64.s": func() []byte { return depthwiseI8AVX2("AVX2Signed", "VPMOVSXBW", signedPacking) },
	"conv_wide_avx2_amd64.s":     func() []byte { return convWideAVX2("AVX2", unsignedPacking) },
	"conv_wide_avx2s_amd64.s":    func() []byte { return convWideAVX2("AVX2Signed", signedPacking) },
	"conv_wide_amd64.go": func() []byte {
		return stubs("amd64", "convWide", "convCallI8", 1, []variant{{"AVX2", 16, wideMost2}, {"AVX2Signed", 16, wideMost2}})
	},
	"winograd_i8_avx2_amd64.s":   winogradI8AVX2,
	"winograd_i8_avx512_amd64.s": winogradI8AVX512,
	"conv_slim_amd64.go": func() []byte {
		return stubs("amd64", "convSlim", "convCallI8", 1, []variant{{"AVX2", 8, wideMost1}, {"AVX2Signed", 8, wideMost1}})
	},
	"conv_i8_vnni_amd64.s": convI8VNNI,
	"conv_i8_amd64.go": func() []byte {
		return stubs("amd64", "convI8", "convCallI8", 2, []variant{{"VNNI", 16, vnniMaxM}})
	},
	"conv_f32_neon_arm64.s": convF32NEON,
	"conv_f32_arm64.go": func() []byte {
		return stubs("arm64", "convF32", "convCall", 2, []variant{{"NEON", 4, neonMaxM}})
	},
	"depthwise_f32_neon_arm64.s": depthwiseF32NEON,
	"depthwise_f32_arm64.go": func() []byte {
		return stubs("arm64", "depthwiseF32", "convCall", 1, []variant{{"NEON", 4, neonMaxM}})
	},
	"requant_neon_arm64.s":    requantSIMD,
	"conv_i8_neon_arm64.s":    func() []byte { return convI8NEON(neonNarrow) },
	"conv_i8_neondot_arm64.s": func() []byte { return convI8NEON(neonDot) },
	"conv_i8_arm64.go": func() []byte {
		return stubs("arm64", "convI8", "convCallI8", 2, []variant{{"NEON", 8, narrowMaxM}, {"NEONSigned", 8, narrowMaxM},
			{"NEONDot", 8, dotMaxM}, {"NEONDotSigned", 8, dotMaxM}})
	},
	"window_sums_avx512_amd64.s": windowSumsAVX512,
	"window_sums_neon_arm64.s":   windowSumsNEON,
	"winograd_i8_neon_arm64.s":   winogradI8NEON,
	"depthwise_i8_neon_arm64.s":  depthwiseI8NEON,
	"depthwise_i8_arm64.go": func() []byte {
		return stubs("arm64", "depthwiseI8", "convCallI8", 1, []variant{{"NEON", 8, depthwiseNEONMaxM}, {"NEONSigned", 8, depthwiseNEONMaxM}})
	},
	"elem_arm64.s":        elemNEON,
	"bytes_arm64.s":       bytesNEON,
	"prepare_row_arm64.s": prepareNEON,
	"mask_argmax_arm64.s": argmaxNEON,
	"conv_f32_amd64.go": func() []byte {
		return stubs("amd64", "convF32", "convCall", 2, []variant{{"AVX512", 16, 14}})
	},
	"conv_f32_avx2_amd64.go": func() []byte {
		return stubs("amd64", "convF32", "convCall", 1, []variant{{"WideAVX2", 16, wideAVX2}, {"SlimAVX2", 8, slimAVX2}})
	},
}

func main() {
	dir := flag.String("o", "..", "folder of the assembly files")
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	for name, make := range files {
		path := filepath.Join(*dir, name)
		if err := put(path, make(), *check); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

func put(path string, text []byte, check bool) error {
	if !check {
		return os.WriteFile(path, text, 0o644)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, text) {
		return fmt.Errorf("%s is stale: run 'go generate ./internal/kernel' and commit it", path)
	}
	return nil
}
