package faults

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Vitals are what a fault must not make grow.
type Vitals struct {
	RSS         int64 // bytes
	Heap        int64 // bytes of spans that Go's heap uses
	GoSys       int64 // bytes that Go has from the system, given back or not
	Alive       int64 // bytes that the last collection found alive, or allocated since
	Descriptors int
	Goroutines  int
	Workers     int // edged-camera processes
}

func (v Vitals) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("%.1f MiB (Go: heap %.1f, alive %.1f, of the system %.1f), %d descriptors, %d goroutines, %d workers",
		float64(v.RSS)/mib, float64(v.Heap)/mib, float64(v.Alive)/mib, float64(v.GoSys)/mib, v.Descriptors, v.Goroutines, v.Workers)
}

// within tells whether v is back where before was. A garbage-collected heap,
// the C library's arenas and a connection being made anew leave some play.
func (v Vitals) within(before Vitals) bool {
	return v.Goroutines <= before.Goroutines+3 && v.Descriptors <= before.Descriptors+3 &&
		v.Workers == before.Workers && v.RSS <= before.RSS+before.RSS/4+24<<20
}

// Metrics reads /metrics: each sample by its name with labels.
func (d *Daemon) Metrics() (map[string]float64, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + d.HTTP + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("faults: metrics: %w", err)
	}
	defer resp.Body.Close()
	m := map[string]float64{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			m[name] = v
		}
	}
	return m, lines.Err()
}

// Workers are the daemon's edged-camera processes.
func (d *Daemon) Workers() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		d.t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.HasPrefix(string(line), "edged-camera\x00") && parentOf(pid) == d.PID() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf is the parent of a process that is no zombie, else 0.
func parentOf(pid int) int {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[0] == "Z" {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// Vitals reads the vital signs of now.
func (d *Daemon) Vitals() (Vitals, error) {
	m, err := d.Metrics()
	if err != nil {
		return Vitals{}, err
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.PID()))
	if err != nil {
		return Vitals{}, fmt.Errorf("faults: descriptors: %w", err)
	}
	return Vitals{
		RSS: int64(m["process_resident_memory_bytes"]), Descriptors: len(fds),
		Heap: int64(m["go_memstats_heap_inuse_bytes"]), GoSys: int64(m["go_memstats_sys_bytes"]), Alive: int64(m["go_memstats_alloc_bytes"]),
		Goroutines: int(m["go_goroutines"]), Workers: len(d.Workers()),
	}, nil
}
