package board

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Disk is where a folder's bytes go.
type Disk struct {
	Device   string  // without /dev/, as mmcblk0; empty: not known, or no device
	Kind     string  // "SD card", "eMMC", or empty
	ReadOnly bool    // the file system is mounted so
	Volatile bool    // in memory: an overlay of it, or tmpfs; it is gone with the power
	PerDay   float64 // bytes that the machine writes on the device in a day, since it started
	Worn     string  // what an eMMC says of its life, as "10 to 20 %"; empty: nothing
}

// DiskOf finds the device of the folder dir, whole and clean, of a machine that has
// run for the time given.
func DiskOf(root fs.FS, dir string, up time.Duration) Disk {
	var d Disk
	m := mountOf(root, dir)
	d.ReadOnly = m.readOnly
	d.Volatile = m.kind == "tmpfs" || m.kind == "ramfs" || m.kind == "overlay"
	device, ok := strings.CutPrefix(m.source, "/dev/")
	if !ok || strings.Contains(device, "/") {
		return d
	}
	d.Device = whole(root, device)
	if d.Device == "" {
		return d
	}
	at := "sys/block/" + d.Device
	switch text(root, at+"/device/type") {
	case "SD":
		d.Kind = "SD card"
	case "MMC":
		d.Kind = "eMMC"
	}
	d.Worn = worn(text(root, at+"/device/life_time"))
	if f := strings.Fields(text(root, at+"/stat")); len(f) > 6 && up > time.Minute {
		if sectors, err := strconv.ParseFloat(f[6], 64); err == nil {
			d.PerDay = sectors * 512 / up.Hours() * 24
		}
	}
	return d
}

// whole is the device that a partition is of, as /sys/block has it.
func whole(root fs.FS, device string) string {
	if _, err := fs.Stat(root, "sys/block/"+device); err == nil {
		return device
	}
	names, _ := fs.Glob(root, "sys/block/*/"+device)
	if len(names) == 1 {
		return path.Base(path.Dir(names[0]))
	}
	return ""
}

// worn reads JEDEC's two estimates of an eMMC's life, in tenths: the worse one.
func worn(life string) string {
	worst := uint64(0)
	for _, f := range strings.Fields(life) {
		if n, err := strconv.ParseUint(f, 0, 8); err == nil {
			worst = max(worst, n)
		}
	}
	switch {
	case worst == 0:
		return ""
	case worst > 10:
		return "more than 100 %"
	}
	return fmt.Sprintf("%d to %d %%", 10*worst-10, 10*worst)
}

// mount is a line of mountinfo.
type mount struct {
	kind, source string
	readOnly     bool
}

// mountOf is the file system that holds dir: the last mounted of those nearest to it.
func mountOf(root fs.FS, dir string) mount {
	var found mount
	longest := -1
	for line := range strings.Lines(text(root, "proc/self/mountinfo")) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		b, a := strings.Fields(before), strings.Fields(after)
		if !ok || len(b) < 6 || len(a) < 3 {
			continue
		}
		at := unescape.Replace(b[4])
		if at != "/" && dir != at && !strings.HasPrefix(dir, at+"/") || len(at) < longest {
			continue
		}
		longest = len(at)
		found = mount{kind: a[0], source: unescape.Replace(a[1]), readOnly: has(b[5], "ro") || has(a[2], "ro")}
	}
	return found
}

// unescape undoes what the kernel does to spaces in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func has(options, option string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == option {
			return true
		}
	}
	return false
}
