package fallback

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"edged"
	"edged/internal/kernel"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// on opens engines that compute by one variant: of two, one runs beside the other.
func on(v cpu.Variant) edged.Opener {
	return func(file []byte, o edged.Options) (edged.Engine, error) {
		return openOn(kernel.For(v), file, model.Read, o, nil)
	}
}

// TestVariantsSideBySide runs an engine of every variant at the same time, each
// several frames, on graphs of 8-bit values, of which all give the same bits.
func TestVariantsSideBySide(t *testing.T) {
	files := int8Graphs(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var done sync.WaitGroup
		outputs := make([][]byte, len(cpu.Available()))
		for i, v := range cpu.Available() {
			e := variantEngine(t, v, files[name])
			done.Go(func() { outputs[i] = frames(t, e, 5) })
		}
		done.Wait()
		for i, v := range cpu.Available() {
			if !bytes.Equal(outputs[i], outputs[0]) {
				t.Errorf("%s: %s beside the others gives other bits than portable Go", name, v)
			}
		}
	}
}

func variantEngine(t *testing.T, v cpu.Variant, file []byte) edged.Engine {
	t.Helper()
	e, err := on(v)(file, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if !strings.HasSuffix(e.Name(), " "+string(v)) {
		t.Errorf("an engine of %s is called %s", v, e.Name())
	}
	return e
}

// frames gives the outputs of n frames of random bytes, the same for every engine.
func frames(t *testing.T, e edged.Engine, n int) (all []byte) {
	r := rand.New(rand.NewPCG(21, 22))
	for range n {
		for i := range e.Inputs() {
			for k := range e.Input(i) {
				e.Input(i)[k] = byte(r.Uint32())
			}
		}
		if err := e.Run(); err != nil {
			t.Error(err)
			return nil
		}
		for i := range e.Outputs() {
			all = append(all, e.Output(i)...)
		}
	}
	return all
}
