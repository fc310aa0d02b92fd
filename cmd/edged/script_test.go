package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"edged/tflite"
)

// scriptCommands are what the scripts may say besides testscript's own words.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits": scriptExits,
	"dense": scriptDense,
	"alter": scriptAlter,
	"net":   scriptNet,
	"base":  scriptBase,
	"array": scriptArray, "picture": scriptPicture,
	"fill": scriptFill,
}

// scriptCondition tells what a script asks of this binary: [tflite].
func scriptCondition(name string) (bool, error) {
	if name != "tflite" {
		return false, fmt.Errorf("no condition %q", name)
	}
	return tflite.Linked(), nil
}

// scriptExits runs a program and checks its exit code: exits CODE PROGRAM ARG...
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%q: exit %d, want %d", args[1:], got, want)
	}
}
