//go:build linux

// Command count runs a net once with an engine between two marks that the plugin
// beside it sees, under the emulator of another processor:
//
//	qemu-aarch64 -plugin libcount.so count ENGINE NET
//
// It prints the engine's name. The run before the marks has built what a first run
// builds.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"edged"
	"edged/fallback"
	"edged/tflite"
)

// mark is what the plugin knows a mark by; plugin/count.c has the same.
const mark = 0xed9ed

var openers = map[string]edged.Opener{"go": fallback.Open, "tflite": tflite.Open}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 || openers[args[0]] == nil {
		return errors.New("use: count go|tflite NET")
	}
	file, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	e, err := openers[args[0]](file, edged.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer e.Close()
	for i := range e.Inputs() {
		fill(e.Input(i), e.Inputs()[i].Type)
	}
	if err := e.Run(); err != nil {
		return err
	}
	runtime.GC()
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	unix.Syscall(unix.SYS_PRCTL, mark, 0, 0)
	err = e.Run()
	unix.Syscall(unix.SYS_PRCTL, mark, 1, 0)
	fmt.Println("engine", e.Name())
	return err
}

// fill gives an input values of any size but no surprises: no NaN, no denormal.
func fill(b []byte, t edged.DType) {
	if t == edged.Float32 {
		for i, v := 0, edged.View[float32](b); i < len(v); i++ {
			v[i] = float32(i%255)/255 - 0.5
		}
		return
	}
	for i := range b {
		b[i] = byte(i * 7)
	}
}
