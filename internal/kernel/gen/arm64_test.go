package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWords assembles what stands beside every word and compares the codes: an
// instruction may look right in its comment and be another one.
func TestWords(t *testing.T) {
	word := regexp.MustCompile(`WORD \$(0x[0-9A-F]{8}) // (.*)`)
	seen := map[string]bool{}
	var source strings.Builder
	for name, write := range files {
		if !strings.HasSuffix(name, "_arm64.s") {
			continue
		}
		for _, m := range word.FindAllStringSubmatch(string(write()), -1) {
			if !seen[m[0]] {
				seen[m[0]] = true
				source.WriteString(".word " + m[1] + "\n" + m[2] + "\n")
			}
		}
	}
	code := assemble(t, source.String())
	if len(code) != 8*len(seen) || len(seen) < 100 {
		t.Fatalf("%d instructions became %d bytes", len(seen), len(code))
	}
	lines := strings.Split(source.String(), "\n")
	for i := 0; i < len(code); i += 8 {
		written, right := binary.LittleEndian.Uint32(code[i:]), binary.LittleEndian.Uint32(code[i+4:])
		if written != right {
			t.Errorf("%s is %08X, written as %08X", lines[i/4+1], right, written)
		}
	}
}

// assemble gives the machine code of a source for arm64.
func assemble(t *testing.T, source string) []byte {
	object, raw := filepath.Join(t.TempDir(), "words.o"), filepath.Join(t.TempDir(), "words")
	run := func(stdin, tool string, args ...string) {
		cmd := exec.Command("aarch64-linux-gnu-"+tool, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", tool, err, out)
		}
	}
	run(source, "as", "-march=armv8.2-a+dotprod", "-o", object, "-")
	run("", "objcopy", "-O", "binary", "-j", ".text", object, raw)
	code, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
