//go:build tflite && cgo

package tflite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/enginetest"
	"edged/model"
)

var kernelSets = map[string]edged.Opener{"xnnpack": Open, "builtin": OpenBuiltin}

// TestMutants runs damaged graphs in processes of their own: a crash in C would
// take the test along. EDGED_MUTANTS is how the parent tells the child its
// share: kernel set, first seed, count.
func TestMutants(t *testing.T) {
	if share := os.Getenv("EDGED_MUTANTS"); share != "" {
		runMutants(t, share)
		return
	}
	first, n := number(t, "EDGED_MUTANT_FIRST", 0), number(t, "EDGED_MUTANT_COUNT", 1500)
	for kernels := range kernelSets {
		t.Run(kernels, func(t *testing.T) {
			crashes := 0
			for from := first; from < first+n && crashes < 20; {
				last, out, err := childMutants(kernels, from, first+n-from)
				if err == nil {
					return
				}
				t.Errorf("mutant %d: %v\n%s", last, err, out)
				from = last + 1
				crashes++
			}
		})
	}
}

// number reads a setting of long runs.
func number(t *testing.T, name string, standard uint64) uint64 {
	s := os.Getenv(name)
	if s == "" {
		return standard
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func runMutants(t *testing.T, share string) {
	var kernels string
	var from, n uint64
	if _, err := fmt.Sscan(share, &kernels, &from, &n); err != nil {
		t.Fatal(err)
	}
	enginetest.Hostile(t, proven(kernelSets[kernels]), from, n, func(seed uint64) { fmt.Fprintln(os.Stderr, "mutant", seed) })
}

// proven opens files whose operators are those that the library is known to
// survive; with others it is tried in a child first, which these tests are not
// about. DENSIFY is among those that verify vouches for.
func proven(open edged.Opener) edged.Opener {
	return func(file []byte, o edged.Options) (edged.Engine, error) {
		m, err := model.ReadShared(file)
		if err != nil {
			return nil, err
		}
		for i, op := range m.Subgraphs[0].Operators {
			if code := m.Code(op).Builtin; !survived[code] && code != model.OpDensify {
				return nil, errors.New(operatorName(m, op, i) + " is tried in a child")
			}
		}
		return open(file, o)
	}
}

var mutantLine = regexp.MustCompile(`(?m)^mutant (\d+)$`)

// childMutants returns the last mutant that the child began, and what the
// child wrote after it.
func childMutants(kernels string, from, n uint64) (last uint64, out string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := append(strings.Fields(os.Getenv("EDGED_RUN")), os.Args[0], "-test.run=^TestMutants$")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("EDGED_MUTANTS=%s %d %d", kernels, from, n))
	b, err := cmd.CombinedOutput()
	if at := mutantLine.FindAllSubmatchIndex(b, -1); len(at) > 0 {
		m := at[len(at)-1]
		last, _ = strconv.ParseUint(string(b[m[2]:m[3]]), 10, 64)
		b = b[m[1]:]
	}
	return last, string(b[:min(len(b), 1500)]), err
}
