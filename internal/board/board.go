// Package board reads what a machine tells of its own state: heat, the processor's
// clock and what holds it down, the supply's voltage, and where a folder's bytes go.
// All of it is files below a root, which tests make.
package board

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Causes why a processor's clock is held down.
const (
	Heat    = "heat"
	Voltage = "under-voltage"
)

// Thermal is a processor's heat and what it costs.
type Thermal struct {
	Celsius float64  // of the hottest zone; 0: no zone tells
	Sensor  string   // of that zone
	MHz     float64  // of the slowest core now; 0: not told
	MaxMHz  float64  // that this core can
	Causes  []string // why the clock is held down now, sorted; none: it is not
	Past    []string // why it was since the machine started and is not now, where it tells
}

// most is how much of a file is read: those of /sys hold a line.
const most = 64 << 10

// text is a file's, without spaces around it and without the zero bytes that end
// strings of the device tree; empty: it cannot be read.
func text(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return ""
	}
	return strings.Trim(string(data), "\x00 \t\r\n")
}

// number is a file's; ok is false where there is none.
func number(root fs.FS, name string) (n float64, ok bool) {
	n, err := strconv.ParseFloat(text(root, name), 64)
	return n, err == nil && n == n
}

// Read reads the state of the machine whose files are below root, "/" of a real one.
func Read(root fs.FS) Thermal {
	var t Thermal
	t.zones(root)
	t.clock(root)
	t.held(root)
	t.firmware(root)
	slices.Sort(t.Causes)
	t.Causes = slices.Compact(t.Causes)
	slices.Sort(t.Past)
	t.Past = slices.DeleteFunc(slices.Compact(t.Past), func(c string) bool { return slices.Contains(t.Causes, c) })
	return t
}

// zones finds the hottest one.
func (t *Thermal) zones(root fs.FS) {
	names, _ := fs.Glob(root, "sys/class/thermal/thermal_zone*/temp")
	for _, name := range names {
		// Below 1 degree and above 200 it is no processor's: sensors that are not there say 0 or -274.
		if milli, ok := number(root, name); ok && milli/1000 > max(t.Celsius, 1) && milli < 200e3 {
			t.Celsius, t.Sensor = milli/1000, text(root, path.Dir(name)+"/type")
		}
	}
}

// clock finds the core that runs slowest beside what it can.
func (t *Thermal) clock(root fs.FS) {
	names, _ := fs.Glob(root, "sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq")
	for _, name := range names {
		now, ok := number(root, name)
		most, told := number(root, path.Dir(name)+"/cpuinfo_max_freq")
		if ok && told && most > 0 && (t.MaxMHz == 0 || now/most < t.MHz/t.MaxMHz) {
			t.MHz, t.MaxMHz = now/1000, most/1000
		}
	}
}

// held finds what the kernel slows for heat, and an alarm of the supply.
func (t *Thermal) held(root fs.FS) {
	names, _ := fs.Glob(root, "sys/class/thermal/cooling_device*/cur_state")
	for _, name := range names {
		kind := text(root, path.Dir(name)+"/type")
		if state, ok := number(root, name); ok && state > 0 && (strings.Contains(kind, "cpufreq") || kind == "Processor") {
			t.Causes = append(t.Causes, Heat)
		}
	}
	alarms, _ := fs.Glob(root, "sys/class/hwmon/hwmon*/in*_lcrit_alarm")
	for _, name := range alarms {
		if alarm, ok := number(root, name); ok && alarm > 0 && text(root, path.Dir(name)+"/name") == "rpi_volt" {
			t.Causes = append(t.Causes, Voltage)
		}
	}
}

// firmware asks the Raspberry Pi's own, where the maker's kernel passes that on.
func (t *Thermal) firmware(root fs.FS) {
	names, _ := fs.Glob(root, "sys/devices/platform/soc*/soc*firmware/get_throttled")
	for _, name := range names {
		bits, err := strconv.ParseUint(strings.TrimPrefix(text(root, name), "0x"), 16, 64)
		if err != nil {
			continue
		}
		for i, cause := range []string{Voltage, "", Heat, Heat} { // bit 1, a capped clock, is an effect
			if cause != "" && bits>>i&1 != 0 {
				t.Causes = append(t.Causes, cause)
			}
			if cause != "" && bits>>(16+i)&1 != 0 {
				t.Past = append(t.Past, cause)
			}
		}
	}
}

// Told tells whether the machine says anything at all.
func (t Thermal) Told() bool { return t.Celsius > 0 || t.MaxMHz > 0 || len(t.Causes) > 0 }

// Name is what the board calls itself; empty: it does not.
func Name(root fs.FS) string {
	for _, name := range []string{"proc/device-tree/model", "sys/firmware/devicetree/base/model", "sys/class/dmi/id/product_name"} {
		if s := text(root, name); s != "" {
			return s
		}
	}
	return ""
}

// Processor is what /proc/cpuinfo calls the processor: a name, or ARM's numbers of it.
func Processor(root fs.FS) string {
	values := map[string]string{}
	for line := range strings.Lines(text(root, "proc/cpuinfo")) {
		key, value, ok := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); ok && values[key] == "" {
			values[key] = strings.TrimSpace(value)
		}
	}
	if name := values["model name"]; name != "" {
		return name
	}
	part := values["CPU part"]
	if part == "" {
		return ""
	}
	if name := parts[values["CPU implementer"]+" "+part]; name != "" {
		return name
	}
	return "implementer " + values["CPU implementer"] + ", part " + part
}

// parts are the cores of the boards that edged is for.
var parts = map[string]string{
	"0x41 0xd03": "Cortex-A53", "0x41 0xd04": "Cortex-A35", "0x41 0xd05": "Cortex-A55", "0x41 0xd07": "Cortex-A57", "0x41 0xd08": "Cortex-A72",
	"0x41 0xd09": "Cortex-A73", "0x41 0xd0a": "Cortex-A75", "0x41 0xd0b": "Cortex-A76", "0x41 0xd41": "Cortex-A78", "0x41 0xd42": "Cortex-A78AE",
}
