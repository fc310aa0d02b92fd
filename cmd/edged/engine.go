package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/daemon"
	"edged/tflite"
)

// The names --engine and camera.engine take.
const (
	engineAuto          = config.Auto
	engineTFLite        = "tflite"
	engineTFLiteBuiltin = "tflite-builtin"
	engineGo            = "go"
)

var engineNames = []string{engineAuto, engineTFLite, engineTFLiteBuiltin, engineGo}

// engineAliases are other names that engines are known by: the folder of the Go
// engine, which is what it was called.
var engineAliases = map[string]string{"fallback": engineGo}

// engineCalled is the name of the engine that a user calls so.
func engineCalled(name string) string {
	if to, ok := engineAliases[name]; ok {
		return to
	}
	return name
}

// engineName is the value of a flag --engine. That the engine exists is checked
// when it is opened.
type engineName string

func (n *engineName) String() string { return string(*n) }

func (n *engineName) Type() string { return "string" }

func (n *engineName) Set(s string) error {
	*n = engineName(engineCalled(s))
	return nil
}

// engineFlag adds the flag --engine.
func engineFlag(fl *pflag.FlagSet, name *string, what string) {
	*name = engineAuto
	fl.Var((*engineName)(name), "engine", what+", one of "+strings.Join(engineNames, ", "))
}

// maxThreads is what an engine may be asked for; no board has as many cores.
const maxThreads = 256

// engines is what the daemon and its trials of models know of them. It has every
// model tried by a child, which its end calls off, before it opens it.
var engines = daemon.Engines{Open: openBare, Auto: autoOrder(), ReportFaults: tflite.ReportFaults, Unproven: tflite.Unproven}

// configEngines is what a config may say of them.
var configEngines = config.Engines{Names: engineNames, Aliases: engineAliases, Delegate: tflite.External, MaxThreads: maxThreads}

// threadCount is the value of a flag --threads.
type threadCount int

func (n *threadCount) String() string { return strconv.Itoa(int(*n)) }

func (n *threadCount) Type() string { return "int" }

func (n *threadCount) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 || v > maxThreads {
		return fmt.Errorf("use 0 (the engine's choice) to %d", maxThreads)
	}
	*n = threadCount(v)
	return nil
}

// openerOf is the engine that is asked for by name.
func openerOf(name string) (edged.Opener, error) {
	switch called := engineCalled(name); called {
	case engineTFLite, engineTFLiteBuiltin:
		return guarded(called), nil
	case engineGo:
		return fallback.Open, nil
	case engineAuto:
		return openAuto, nil
	default:
		if tflite.IsExternal(called) {
			return guarded(called), nil
		}
	}
	return nil, noSuchEngine(name)
}

func noSuchEngine(name string) error {
	return exitf(exitUsage, "engine %q: no such engine; choose one of %s", name, strings.Join(engineNames, ", "))
}

// bareOpener is the engine of a name, without a trial; nil: there is none.
func bareOpener(name string) edged.Opener {
	switch engineCalled(name) {
	case engineTFLite:
		return tflite.Open
	case engineTFLiteBuiltin:
		return tflite.OpenBuiltin
	case engineGo:
		return fallback.Open
	}
	if tflite.IsExternal(name) {
		return tflite.OpenExternal(name)
	}
	return nil
}

// openEngine loads model on the engine named. "auto" takes the fastest that runs
// the model; an engine asked for by its own name never gives way to another.
func openEngine(name string, model []byte, o edged.Options) (edged.Engine, error) {
	open, err := openerOf(name)
	if err != nil {
		return nil, err
	}
	return openOn(name, open, model, o)
}

// openMapped is openEngine for a model in a mapped file, whose weights the Go
// engine uses where they lie.
func openMapped(name string, model []byte, o edged.Options) (edged.Engine, error) {
	if name == engineAuto {
		var err error
		if name, err = fastest(model, o); err != nil {
			return nil, err
		}
	}
	if engineCalled(name) != engineGo {
		return openEngine(name, model, o)
	}
	e, err := fallback.OpenMapped(model, o)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	return e, nil
}

// openAuto takes the engine that child processes found to be the fastest.
func openAuto(model []byte, o edged.Options) (edged.Engine, error) {
	name, err := fastest(model, o)
	if err != nil {
		return nil, err
	}
	return openEngine(name, model, o)
}

// fastest is the engine that runs model fastest. With a single engine there is
// nothing to try. Where none runs it, the Go engine tells again why, since only
// it tells what kind of fault it is.
func fastest(model []byte, o edged.Options) (string, error) {
	all := daemon.Engines{Auto: autoOrder()}
	if len(all.Auto) == 1 {
		return all.Auto[0], nil
	}
	c, err := all.Try(context.Background(), model, engineAuto, o.Threads, "")
	if err != nil {
		e, first := openEngine(engineGo, model, o)
		if first == nil {
			e.Close()
			return "", err
		}
		for _, odd := range c.Odd[min(1, len(c.Odd)):] {
			first = fmt.Errorf("%w; and %s", first, odd)
		}
		return "", first
	}
	if len(c.Odd) > 0 {
		slog.Warn("engine chosen", "engine", c.Engine, "why", c.Why, "reason", strings.Join(c.Odd, "; "))
	}
	return c.Engine, nil
}

// linkedEngines lists the engines in this binary.
func linkedEngines() []string {
	names := []string{engineGo}
	if tflite.Linked() {
		names = slices.Concat([]string{engineTFLite, engineTFLiteBuiltin}, names)
	}
	return names
}

// autoOrder lists the engines that auto tries: Go first, which cannot crash and
// is loaded at once.
func autoOrder() []string {
	others := slices.DeleteFunc(linkedEngines(), func(name string) bool { return name == engineGo })
	return append([]string{engineGo}, others...)
}
