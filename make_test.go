package edged_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// make uninstall removes each file that make install places, and nothing else:
// the config and strangers' files stay.
func TestMakeUninstall(t *testing.T) {
	root := t.TempDir()
	args := []string{"DESTDIR=" + root, "PREFIX=/usr/local", "SYSCONFDIR=/etc"}
	plan, err := exec.Command("make", append([]string{"-n", "install"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	kept, placed := map[string]bool{}, 0
	put := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.SplitSeq(string(plan), "\n") {
		if strings.HasPrefix(line, "install -d ") {
			continue // a folder alone
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" >;", r) }) {
			if strings.HasPrefix(word, root) && !strings.Contains(word, "$") {
				put(word)
				placed++
			}
		}
	}
	if placed < 7 {
		t.Fatalf("make install places %d files:\n%s", placed, plan)
	}
	schemas, err := filepath.Glob("mqtt/schema/*.json")
	if err != nil || len(schemas) == 0 {
		t.Fatal(schemas, err)
	}
	for _, s := range schemas {
		put(filepath.Join(root, "usr/local/share/edged/schema", filepath.Base(s)))
	}
	for _, path := range []string{"etc/edged/edged.toml", "usr/local/bin/other"} {
		kept[path] = true
		put(filepath.Join(root, path))
	}
	if out, err := exec.Command("make", append([]string{"uninstall"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err == nil && !d.IsDir() && !kept[name] {
			t.Errorf("left behind: %s", name)
		}
		delete(kept, name)
		return err
	})
	if len(kept) > 0 {
		t.Errorf("removed: %v", kept)
	}
}
