package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edged/internal/config"
	"edged/internal/evidence"
)

// evidenceFolder is the camera's folder where source is one that evidence of several
// cameras is kept in, else source.
func evidenceFolder(source, camera string) string {
	if below := filepath.Join(source, camera); isEvidence(below) {
		return below
	}
	return source
}

// isEvidence tells whether a folder's pictures carry results of ours.
func isEvidence(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".png") && !strings.HasPrefix(e.Name(), ".") {
			_, err := evidence.ReadTexts(filepath.Join(dir, e.Name()))
			return err == nil
		}
	}
	return false
}

// withoutHold has rules look at each picture by itself: between two pieces of
// evidence lie frames that nobody kept.
func withoutHold(cam *config.Camera) {
	rules := append([]config.Rule{}, cam.Rules...)
	for i := range rules {
		rules[i].Hold = 0
	}
	cam.Rules = rules
}

// setsHold tells whether somebody asks for a hold all the same.
func setsHold(settings []string) bool {
	return slices.ContainsFunc(settings, func(s string) bool {
		key, _, _ := strings.Cut(s, "=")
		return strings.HasSuffix(key, ".hold")
	})
}

// saidThen is the verdict that was kept with a picture, empty where none was.
func saidThen(path string) string {
	var kept struct {
		Verdict string `json:"verdict"`
	}
	texts, err := evidence.ReadTexts(path)
	if err != nil || json.Unmarshal(texts.Result, &kept) != nil {
		return ""
	}
	return kept.Verdict
}
