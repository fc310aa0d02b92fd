package daemon

import (
	"context"
	"os"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

func files(all map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, ok := all[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(text), nil
	}
}

// What is free is the least of what the machine and each control group have left,
// in both versions of control groups.
func TestFreeMemory(t *testing.T) {
	const gb = "\nMemAvailable:    1048576 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing tells": {nil, 0},
		"the machine":   {map[string]string{"/proc/meminfo": "MemTotal: 9 kB" + gb}, 1 << 30},
		"an old kernel": {map[string]string{"/proc/meminfo": "MemTotal: 9 kB\nMemFree: 9 kB\n"}, 0},
		"a service": {map[string]string{"/proc/meminfo": gb, "/proc/self/cgroup": "0::/system.slice/edged.service\n",
			"/sys/fs/cgroup/system.slice/edged.service/memory.max": "1000\n", "/sys/fs/cgroup/system.slice/edged.service/memory.current": "900\n",
			"/sys/fs/cgroup/system.slice/edged.service/memory.stat": "anon 5\ninactive_file 300\n"}, 400},
		"no limit": {map[string]string{"/proc/meminfo": gb, "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/a/memory.current": "9\n"}, 1 << 30},
		"the slice above": {map[string]string{"/proc/meminfo": gb, "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
			"/sys/fs/cgroup/a/memory.max": "500\n", "/sys/fs/cgroup/a/memory.current": "100\n"}, 400},
		"version 1": {map[string]string{"/proc/meminfo": gb, "/proc/self/cgroup": "9:name=systemd:/\n4:memory:/c\n0::/\n",
			"/sys/fs/cgroup/memory/c/memory.limit_in_bytes": "700\n", "/sys/fs/cgroup/memory/c/memory.usage_in_bytes": "650\n",
			"/sys/fs/cgroup/memory/c/memory.stat": "cache 9\ntotal_inactive_file 50\n"}, 100},
		"over it":  {map[string]string{"/proc/meminfo": gb, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "5", "/sys/fs/cgroup/memory.current": "9"}, 1},
		"nonsense": {map[string]string{"/proc/meminfo": "MemAvailable: much\nMemAvailable:\n", "/proc/self/cgroup": "x\n::\n0::/../..\n"}, 0},
	} {
		if got := free(files(c.files)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := free(readText); got < 1<<20 {
		t.Errorf("this machine has %d bytes free", got)
	}
}

// Without node.memory_limit a model that the machine has no room for is refused by
// its trial, which says what the bound is.
func TestTrialIsBoundedByWhatIsFree(t *testing.T) {
	e := engines
	e.readFile = files(map[string]string{"/proc/meminfo": "MemAvailable: 400 kB\n"})
	model, err := os.ReadFile(daemontest.DenseFile(t, t.TempDir(), nets.Valid, 480, 640))
	if err != nil {
		t.Fatal(err)
	}
	err = e.Canary(context.Background(), model, "go", 1)
	if err == nil || !strings.Contains(err.Error(), "the limit is 307200") || !strings.Contains(err.Error(), "node.memory_limit sets another") {
		t.Errorf("%v", err)
	}
	e.Limit = func() int64 { return 300 << 10 }
	if err := e.Canary(context.Background(), model, "go", 1); err == nil || !strings.HasSuffix(err.Error(), "(the limit is node.memory_limit)") {
		t.Errorf("%v", err)
	}
}
