package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/capture/belt"
	"edged/internal/daemontest"
	"edged/mqtt/mqtttest"
	"edged/train/nets"
)

// block is a fenced block of a page.
type block struct {
	page string
	line int      // of its first line, from 1
	kind string   // sh, toml, python ...
	tags []string // the words behind the kind: run, or file=NAME
	text string
}

// tag is the value of key=value among the block's tags.
func (b *block) tag(key string) string {
	for _, t := range b.tags {
		if v, ok := strings.CutPrefix(t, key+"="); ok {
			return v
		}
	}
	return ""
}

// userPages are README, CONTRIBUTING and everything in docs/.
func userPages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages in docs/: %v", len(pages), err)
	}
	return append(pages, "../../README.md", "../../CONTRIBUTING.md")
}

// splitPage parts a page into its fenced blocks and its prose.
func splitPage(t *testing.T, page string) (blocks []*block, prose string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var b *block
	for i, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && b == nil:
			b = &block{page: filepath.Base(page), line: i + 2}
			if words := strings.Fields(fence); len(words) > 0 {
				b.kind, b.tags = words[0], words[1:]
			}
		case isFence:
			blocks, b = append(blocks, b), nil
		case b != nil:
			b.text += line + "\n"
		default:
			prose += line + "\n"
		}
	}
	if b != nil {
		t.Errorf("%s:%d: a block without an end", page, b.line)
	}
	return blocks, prose
}

var makeTarget = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)

// faultOfLine says what is wrong with a line of shell that a page shows, as
// far as edged and make are concerned.
func faultOfLine(line string, targets []string) string {
	line = strings.TrimPrefix(strings.TrimSpace(line), "sudo ")
	words := strings.Fields(strings.TrimPrefix(line, "bin/"))
	if len(words) < 2 || strings.HasPrefix(words[1], "#") {
		return ""
	}
	switch words[0] {
	case "make":
		if target := words[1]; !strings.Contains(target, "=") && target != "-s" && !slices.Contains(targets, target) {
			return "the Makefile has no target " + target
		}
	case "edged":
		if err := parse(exampleArgs(strings.Join(words, " "))); err != nil {
			return err.Error()
		}
		return faultOfEngine(words)
	}
	return ""
}

// faultOfEngine looks whether engines that a line names are there. A capital
// letter stands for any.
func faultOfEngine(words []string) string {
	for i, w := range words[:len(words)-1] {
		if w != "--engine" && w != "--compare" {
			continue
		}
		for name := range strings.SplitSeq(words[i+1], ",") {
			if _, err := openerOf(name); err != nil && strings.ToUpper(name) != name {
				return err.Error()
			}
		}
	}
	return ""
}

// Every line of shell in the pages is one that edged and make take.
func TestCommandsInDocsExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	seen := 0
	for _, page := range userPages(t) {
		blocks, _ := splitPage(t, page)
		for _, b := range blocks {
			if b.kind != "sh" {
				continue
			}
			for line := range strings.SplitSeq(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
				seen++
				if fault := faultOfLine(line, targets); fault != "" {
					t.Errorf("%s:%d: %q: %s", b.page, b.line, line, fault)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d lines of shell in all pages: this test looks at nothing", seen)
	}
	for _, wrong := range []string{"edged nonsense", "edged rewrite a.tflite --nonsense", "make nonsense", "bin/edged infer --out", "edged bench a.tflite --engine warp"} {
		if faultOfLine(wrong, targets) == "" {
			t.Errorf("%q: nothing is found wrong with it", wrong)
		}
	}
}

var inlineCommand = regexp.MustCompile("`edged ([a-z]+)([^`]*)`")

// A command that prose speaks of has that name, and those flags.
func TestCommandsInProseExist(t *testing.T) {
	root, _ := newRoot()
	root.InitDefaultHelpCmd()
	seen := 0
	for _, page := range userPages(t) {
		_, prose := splitPage(t, page)
		for _, m := range inlineCommand.FindAllStringSubmatch(prose, -1) {
			seen++
			cmd, _, err := root.Find([]string{m[1]})
			if err != nil {
				t.Errorf("%s: `edged %s%s`: %v", filepath.Base(page), m[1], m[2], err)
				continue
			}
			for _, word := range strings.Fields(m[2]) {
				flag, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
				known := cmd.Flags().Lookup(flag) != nil || len(flag) == 1 && cmd.Flags().ShorthandLookup(flag) != nil
				if strings.HasPrefix(word, "-") && !known {
					t.Errorf("%s: `edged %s%s`: no flag %s", filepath.Base(page), m[1], m[2], word)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d commands in prose: this test looks at nothing", seen)
	}
}

// The blocks marked to be run work as they stand, one after the other, in a
// folder that holds what the page asks for.
func TestDocsRun(t *testing.T) {
	for _, page := range userPages(t) {
		blocks, _ := splitPage(t, page)
		var toRun []*block
		for _, b := range blocks {
			if b.tag("file") != "" || slices.Contains(b.tags, "run") {
				toRun = append(toRun, b)
			}
		}
		if len(toRun) > 0 {
			t.Run(filepath.Base(page), func(t *testing.T) { runBlocks(t, toRun) })
		}
	}
}

func runBlocks(t *testing.T, blocks []*block) {
	dir := t.TempDir()
	net, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "net.tflite"), net)
	daemontest.DenseFile(t, dir, nets.Valid, 96, 128)
	writeFile(t, filepath.Join(dir, "frame.png"), beltPicture(t, "test:belt?size=128x96"))
	for _, b := range blocks {
		if name := b.tag("file"); name != "" {
			writeFile(t, filepath.Join(dir, name), []byte(b.text))
		}
		if !slices.Contains(b.tags, "run") {
			continue
		}
		cmd := exec.Command("sh", "-e", "-c", b.text)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s:%d: %v\n%s%s", b.page, b.line, err, b.text, out)
		}
	}
}

// beltPicture is the belt's first frame as a PNG.
func beltPicture(t *testing.T, source string) []byte {
	t.Helper()
	c, err := belt.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	scene.Render(0, &f, nil)
	m := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for i := range f.W * f.H { // BGR
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = f.Pix[3*i+2], f.Pix[3*i+1], f.Pix[3*i], 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A config that a page shows is one that edged reads: with a model's file and a
// camera beside it, since pages show no more than what they are about.
func TestConfigsInDocsAreRead(t *testing.T) {
	for _, page := range userPages(t) {
		blocks, _ := splitPage(t, page)
		for _, b := range blocks {
			if b.kind != "toml" {
				continue
			}
			text := b.text
			if !strings.Contains(text, "[[camera]]") {
				text = "[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"a.tflite\"\n" + text
			}
			path := filepath.Join(t.TempDir(), "edged.toml")
			writeFile(t, path, []byte(text))
			writeSecrets(t, filepath.Dir(path))
			if code, out, errs := runEdged("check", "-c", path, "--offline"); code == exitBadConfig {
				t.Errorf("%s:%d: %s%s", b.page, b.line, out, errs)
			}
		}
	}
}

// writeSecrets puts the files there that the pages call ca.pem, line1.pem,
// line1.key and edged.mqtt-password.
func writeSecrets(t *testing.T, dir string) {
	t.Helper()
	mqtttest.NewAuthority(t, dir).Sign("line1", time.Now().Add(time.Hour))
	writeFile(t, filepath.Join(dir, "edged.mqtt-password"), []byte("secret\n"))
}
