package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"edged"
	"edged/internal/daemon"
	"edged/tflite"
)

// openBare is openEngine for a child that is the trial.
func openBare(name string, model []byte, o edged.Options) (edged.Engine, error) {
	open := bareOpener(name)
	if open == nil {
		return nil, noSuchEngine(name)
	}
	return openOn(name, open, model, o)
}

// openOn opens a model on the engine of a name; errors tell which.
func openOn(name string, open edged.Opener, model []byte, o edged.Options) (edged.Engine, error) {
	e, err := open(model, o)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	return e, nil
}

// guarded is an engine of TFLite that loads a model which the library is not
// known to survive only after a child has: a fault in C is one clear error then,
// in every command.
func guarded(name string) edged.Opener {
	open := bareOpener(name)
	return func(model []byte, o edged.Options) (edged.Engine, error) {
		if err := survives(name, model, o.Threads); err != nil {
			return nil, err
		}
		return open(model, o)
	}
}

// trials are those of this process, by engine and file: verify and eval open a
// model many times.
var trials = struct {
	sync.Mutex
	done map[string]error
}{done: map[string]error{}}

// survives has a child run a model that lies outside of what the library is
// known to survive.
func survives(name string, model []byte, threads int) error {
	if !tflite.Linked() {
		return nil
	}
	why := tflite.Unproven(model)
	if tflite.IsExternal(name) {
		why = "the delegate, code of others"
	}
	if why == "" {
		return nil
	}
	key := fmt.Sprintf("%s %d %x", name, threads, sha256.Sum256(model))
	trials.Lock()
	defer trials.Unlock()
	err, known := trials.done[key]
	if !known {
		if err = (&daemon.Engines{}).Strain(context.Background(), model, name, threads); err != nil {
			err = fmt.Errorf("not loaded: a child process tried the model first, because of %s, and failed: %w", why, err)
		}
		if err == nil { // a failure may be the moment's: the next asks again
			trials.done[key] = nil
		}
	}
	return err
}
