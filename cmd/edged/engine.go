package main

import (
	"fmt"
	"strings"

	"edged"
)

// The names --engine and camera.engine take.
const (
	engineAuto          = "auto"
	engineTFLite        = "tflite"
	engineTFLiteBuiltin = "tflite-builtin"
	engineFallback      = "fallback"
)

// openers are the engines that can be asked for by name.
var openers = map[string]edged.Opener{}

var engineNames = []string{engineAuto, engineTFLite, engineTFLiteBuiltin, engineFallback}

// openEngine loads model on the engine named. "auto" takes TFLite where it is
// linked and can run the model, else the fallback; an engine asked for by its
// own name never gives way to another.
func openEngine(name string, model []byte, o edged.Options) (edged.Engine, error) {
	open, ok := openers[name]
	if !ok {
		return nil, exitf(exitUsage, "engine %q: no such engine; choose one of %s", name, strings.Join(engineNames, ", "))
	}
	e, err := open(model, o)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	return e, nil
}

func linkedEngines() []string { return []string{} }
