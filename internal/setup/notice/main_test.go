package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Modules with the same terms share one text under the holders of each; one
// without terms is an error, since it cannot be handed out unread.
func TestTerms(t *testing.T) {
	dir := t.TempDir()
	put := func(module, name, text string) goModule {
		d := filepath.Join(dir, module)
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return goModule{path: module, version: "v1", dir: d}
	}
	all := map[string]*terms{}
	for _, m := range []goModule{
		put("a", "LICENSE", "Copyright (c) 2020 A\n\nDo as\nyou like.\n"),
		put("b", "Licence.md", "Copyright 2021-2023 B and others\nDo as you\r\nlike."),
		put("c", "COPYING", "Copyright notice: none."),
	} {
		if err := m.addTo(all); err != nil {
			t.Error(err)
		}
	}
	if len(all) != 2 {
		t.Fatalf("%d texts", len(all))
	}
	got := all["do as you like."]
	if want := "a v1|    Copyright (c) 2020 A|b v1|    Copyright 2021-2023 B and others"; strings.Join(got.under, "|") != want || got.text != "Do as\nyou like." {
		t.Errorf("%+v", got)
	}
	if err := put("d", "README", "take it").addTo(all); err == nil || !strings.Contains(err.Error(), "module d has no licence") {
		t.Errorf("%v", err)
	}
}

// NOTICE is of what is linked now, TFLite's part too.
func TestNoticeIsCurrent(t *testing.T) {
	text, err := notice()
	if err != nil {
		t.Fatal(err)
	}
	if old, err := os.ReadFile("../../../NOTICE"); err != nil || string(old) != text {
		t.Errorf("NOTICE is old (%v): run 'go generate ./internal/setup/notice' and commit it", err)
	}
	for _, name := range []string{"github.com/eclipse/paho.mqtt.golang v", "gocv.io/x/gocv v", "golang.org/x/sys v", "XNNPACK", "Apache License"} {
		if !strings.Contains(text, name) {
			t.Errorf("NOTICE lacks %s", name)
		}
	}
	for _, name := range []string{"goleak", "pgregory.net/rapid"} {
		if strings.Contains(text, name) {
			t.Errorf("NOTICE names %s, which is used in tests alone", name)
		}
	}
}
