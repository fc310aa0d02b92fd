//go:build tflite && cgo

package tflite

import (
	"testing"

	"edged"
)

// BenchmarkRun is one frame through a real model, one thread.
func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"face_detection_short_range", "pose_landmark_lite"} {
		for _, kernels := range []string{"xnnpack", "builtin"} {
			b.Run(name+"/"+kernels, func(b *testing.B) {
				e, err := kernelSets[kernels](npmModel(b, name), edged.Options{Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				b.ReportAllocs()
				for b.Loop() {
					if err := e.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkOpen is the time from a file in memory to an engine that can run.
func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"face_detection_short_range", "pose_landmark_lite"} {
		file := npmModel(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e, err := Open(file, edged.Options{Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				e.Close()
			}
		})
	}
}
