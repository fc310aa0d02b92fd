// Command gen writes most of the assembly of internal/kernel's rooms, into files
// whose names begin with z. Run it in its own folder:
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

// files are what gen writes, by room.
var files = map[string]func() []byte{
	"conv/zconv_f32_avx512_amd64.s":      convF32AVX512,
	"conv/zconv_f32_avx2_amd64.s":        convF32AVX2,
	"conv/zdepthwise_f32_avx512_amd64.s": func() []byte { return depthwiseF32(avx512, "AVX512", 14) },
	"conv/zdepthwise_f32_avx2_amd64.s":   func() []byte { return depthwiseF32(avx2, "AVX2", 8) },
	"conv/zdepthwise_f32_amd64.go": func() []byte {
		return stubs("amd64", "depthwiseF32", "convCall", 1, []variant{{"AVX512", 16, 14}, {"AVX2", 8, 8}})
	},
	"conv/zdot_f32_avx2_amd64.s":        dotF32AVX2,
	"conv/zwinograd_avx512_amd64.s":     func() []byte { return winograd(avx512, "AVX512") },
	"conv/zwinograd_avx2_amd64.s":       func() []byte { return winograd(avx2, "AVX2") },
	"conv/zpool_f32_avx512_amd64.s":     func() []byte { return pool(avx512, "AVX512") },
	"conv/zpool_f32_avx2_amd64.s":       func() []byte { return pool(avx2, "AVX2") },
	"conv/zwinograd_mul_avx512_amd64.s": func() []byte { return winogradMuls(avx512, "AVX512", mulAVX512) },
	"conv/zwinograd_mul_avx2_amd64.s":   func() []byte { return winogradMuls(avx2, "AVX2", mulAVX2) },
	"conv/zwinograd_mul_amd64.go": func() []byte {
		return winogradMulStubs("amd64", mulVariant{"AVX512", mulAVX512}, mulVariant{"AVX2", mulAVX2})
	},
	"conv/zdot_f32_neon_arm64.s":      dotF32NEON,
	"vec/zlerp_f32_arm64.s":           lerpNEON,
	"conv/zpool_f32_neon_arm64.s":     poolNEON,
	"conv/zwinograd_neon_arm64.s":     winogradNEON,
	"conv/zwinograd_mul_neon_arm64.s": winogradMulsNEON,
	"conv/zwinograd_mul_arm64.go":     func() []byte { return winogradMulStubs("arm64", mulVariant{"NEON", mulNEON}) },
	"conv/zdepthwise_i8_vnni_amd64.s": depthwiseI8VNNI,
	"conv/zdepthwise_columns_amd64.s": depthwiseColumnsVNNI,
	"conv/zdepthwise_columns_amd64.go": func() []byte {
		return stubs("amd64", "depthColumns", "convCallI8", 2, []variant{{"HalfUp", 32, 2}, {"HalfAway", 32, 2}, {"HalfUpRest", 32, 2}, {"HalfAwayRest", 32, 2}})
	},
	"conv/zdepthwise_i8_amd64.go": func() []byte {
		return stubs("amd64", "depthwiseI8", "convCallI8", 1, []variant{{"VNNI", 32, depthwiseMaxM}, {"AVX2", 16, depthwiseAVX2MaxM}})
	},
	"conv/zdepthwise_i8_avx2_amd64.s": depthwiseI8AVX2,
	"conv/zconv_i16_avx2_amd64.s":     convI16AVX2,
	"conv/zconv_i16_amd64.go": func() []byte {
		return stubs("amd64", "convI16", "convCallI8", 1, []variant{{"AVX2", 16, i16MostX2}, {"AVX2", 8, i16MostX1}})
	},
	"conv/zwinograd_i8_avx2_amd64.s":   winogradI8AVX2,
	"conv/zwinograd_i8_avx512_amd64.s": winogradI8AVX512,
	"conv/zconv_i8_vnni_amd64.s":       convI8VNNI,
	"conv/zconv_i8_amd64.go": func() []byte {
		return stubs("amd64", "convI8", "convCallI8", 2, []variant{{"VNNI", 16, vnniMaxM}})
	},
	"conv/zconv_f32_neon_arm64.s": convF32NEON,
	"conv/zconv_f32_arm64.go": func() []byte {
		return stubs("arm64", "convF32", "convCall", 2, []variant{{"NEON", 4, neonMaxM}})
	},
	"conv/zdepthwise_f32_neon_arm64.s": depthwiseF32NEON,
	"conv/zdepthwise_f32_arm64.go": func() []byte {
		return stubs("arm64", "depthwiseF32", "convCall", 1, []variant{{"NEON", 4, depthMaxM}})
	},
	"gemm/zrequant_neon_arm64.s":    requantSIMD,
	"conv/zconv_i8_neon_arm64.s":    convI8NEON,
	"conv/zconv_i8_neondot_arm64.s": convI8NEONDot,
	"conv/zconv_i8_arm64.go": func() []byte {
		return stubs("arm64", "convI8", "convCallI8", 2, []variant{{"NEON", 8, narrowMaxM}, {"NEONSigned", 8, narrowMaxM}})
	},
	"conv/zconv_i8_neondot_arm64.go": func() []byte {
		return stubs("arm64", "convI8", "convCallI8", 1, []variant{{"NEONDot", 8, dotMaxM8}, {"NEONDot", 16, dotMaxM16}})
	},
	"conv/zwindow_sums_avx512_amd64.s": windowSumsAVX512,
	"conv/zwindow_sums_neon_arm64.s":   windowSumsNEON,
	"conv/zwinograd_i8_neon_arm64.s":   winogradI8NEON,
	"conv/zdepthwise_i8_neon_arm64.s":  depthwiseI8NEON,
	"conv/zdepthwise_i8_arm64.go": func() []byte {
		return stubs("arm64", "depthwiseI8", "convCallI8", 1, []variant{{"NEON", 8, depthwiseNEONMaxM}, {"NEONSigned", 8, depthwiseNEONMaxM}})
	},
	"vec/zelem_arm64.s":            elemNEON,
	"vec/zrows_f32_arm64.s":        rowsF32NEON,
	"vec/zexp_arm64.s":             expNEON,
	"vec/zsum_f32_arm64.s":         sumF32NEON,
	"vec/zpixels_arm64.s":          pixelsNEON,
	"vec/zquantise_arm64.s":        quantiseNEON,
	"vec/zlerp_bytes_arm64.s":      lerpI8NEON,
	"vec/zpair_bytes_arm64.s":      pairBytesNEON,
	"vec/zbytes_arm64.s":           bytesNEON,
	"picture/zprepare_row_arm64.s": prepareNEON,
	"picture/zmask_argmax_arm64.s": argmaxNEON,
	"conv/zconv_f32_amd64.go": func() []byte {
		return stubs("amd64", "convF32", "convCall", 2, []variant{{"AVX512", 16, 14}})
	},
	"conv/zconv_f32_avx2_amd64.go": func() []byte {
		return stubs("amd64", "convF32", "convCall", 1, []variant{{"AVX2", 16, f32MostX2}, {"AVX2", 8, f32MostX1}})
	},
}

func main() {
	dir := flag.String("o", "..", "folder of the rooms")
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
		return fmt.Errorf("%s is stale: run 'go generate ./internal/kernel/conv' and commit it", path)
	}
	return nil
}
