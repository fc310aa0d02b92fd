package board

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tree is a machine's files.
func tree(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

const (
	thermal  = "sys/class/thermal/"
	cpufreq  = "sys/devices/system/cpu/cpufreq/"
	firmware = "sys/devices/platform/soc/soc:firmware/get_throttled"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Thermal
	}{
		{"a machine that tells nothing", nil, Thermal{}},
		{"the hottest zone that means something", map[string]string{
			thermal + "thermal_zone0/temp": "41250\n", thermal + "thermal_zone0/type": "gpu-thermal\n",
			thermal + "thermal_zone1/temp": "58000", thermal + "thermal_zone1/type": "cpu-thermal\n",
			thermal + "thermal_zone2/temp": "broken", thermal + "thermal_zone3/temp": "-274000", thermal + "thermal_zone4/temp": "2147483647",
			thermal + "thermal_zone5/temp": "NaN",
		}, Thermal{Celsius: 58, Sensor: "cpu-thermal"}},
		{"the core that is slowest beside what it can", map[string]string{
			cpufreq + "policy0/scaling_cur_freq": "1416000\n", cpufreq + "policy0/cpuinfo_max_freq": "1416000\n",
			cpufreq + "policy4/scaling_cur_freq": "600000\n", cpufreq + "policy4/cpuinfo_max_freq": "1800000\n",
			cpufreq + "policy5/scaling_cur_freq": "<unknown>\n", cpufreq + "policy5/cpuinfo_max_freq": "1800000\n",
		}, Thermal{MHz: 600, MaxMHz: 1800}},
		{"the kernel slows the processor for heat, a fan does not", map[string]string{
			thermal + "cooling_device0/type": "cpufreq-cpu0\n", thermal + "cooling_device0/cur_state": "2\n",
			thermal + "cooling_device1/type": "pwm-fan\n", thermal + "cooling_device1/cur_state": "3\n",
		}, Thermal{Causes: []string{Heat}}},
		{"a fan alone", map[string]string{thermal + "cooling_device1/type": "pwm-fan\n", thermal + "cooling_device1/cur_state": "3\n"}, Thermal{}},
		{"a supply that is too weak", map[string]string{
			"sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
			"sys/class/hwmon/hwmon2/name": "other\n", "sys/class/hwmon/hwmon2/in0_lcrit_alarm": "1\n",
		}, Thermal{Causes: []string{Voltage}}},
		{"the firmware of a Raspberry Pi: now", map[string]string{firmware: "50005\n"}, Thermal{Causes: []string{Heat, Voltage}}},
		{"and before", map[string]string{firmware: "0xd0000\n"}, Thermal{Past: []string{Heat, Voltage}}},
		{"and of one, now", map[string]string{firmware: "10001\n"}, Thermal{Causes: []string{Voltage}}},
		{"nonsense of the firmware", map[string]string{firmware: "well\n"}, Thermal{}},
	} {
		got := Read(tree(c.files))
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got.Told() != (c.want.Celsius > 0 || c.want.MaxMHz > 0 || len(c.want.Causes) > 0) {
			t.Errorf("%s: Told %v", c.name, got.Told())
		}
	}
}

func TestNames(t *testing.T) {
	pi := tree(map[string]string{
		"proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\x00",
		"proc/cpuinfo":           "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nprocessor\t: 1\nCPU part\t: 0xd0b\n",
	})
	if n, p := Name(pi), Processor(pi); n != "Raspberry Pi 4 Model B Rev 1.5" || p != "Cortex-A72" {
		t.Errorf("%q, %q", n, p)
	}
	pc := tree(map[string]string{"sys/class/dmi/id/product_name": "X1\n", "proc/cpuinfo": "model name\t: AMD EPYC\n"})
	if n, p := Name(pc), Processor(pc); n != "X1" || p != "AMD EPYC" {
		t.Errorf("%q, %q", n, p)
	}
	odd := tree(map[string]string{"proc/cpuinfo": "CPU implementer\t: 0x61\nCPU part\t: 0x022\n"})
	if n, p := Name(odd), Processor(odd); n != "" || p != "implementer 0x61, part 0x022" {
		t.Errorf("%q, %q", n, p)
	}
	if p := Processor(tree(nil)); p != "" {
		t.Errorf("%q of nothing", p)
	}
}

const mounts = `22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 22 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=100k
31 22 8:1 / /srv/my\040disk rw - ext4 /dev/sda1 rw
32 22 179:1 / /boot ro - vfat /dev/mmcblk0p1 ro
33 22 8:17 / /over rw - ext4 /dev/sdb1 ro
nonsense
`

func TestDiskOf(t *testing.T) {
	root := tree(map[string]string{
		"proc/self/mountinfo":            mounts,
		"sys/block/mmcblk0/mmcblk0p2/ro": "0", "sys/block/mmcblk0/mmcblk0p1/ro": "0", "sys/block/sda/sda1/ro": "0",
		"sys/block/mmcblk0/device/type": "SD\n", "sys/block/mmcblk0/device/life_time": "0x02 0x01\n",
		"sys/block/mmcblk0/stat": "  100 0 2000 30 50 0 2000000 70 0 0 0\n",
	})
	for dir, want := range map[string]Disk{
		"/var/lib/edged":   {Device: "mmcblk0", Kind: "SD card", Worn: "10 to 20 %", PerDay: 2000000 * 512 * 2},
		"/run/edged":       {Volatile: true},
		"/srv/my disk/x":   {Device: "sda"},
		"/srv/my diskette": {Device: "mmcblk0", Kind: "SD card", Worn: "10 to 20 %", PerDay: 2000000 * 512 * 2},
		"/boot":            {Device: "mmcblk0", Kind: "SD card", Worn: "10 to 20 %", PerDay: 2000000 * 512 * 2, ReadOnly: true},
		"/over":            {ReadOnly: true},
	} {
		if diff := cmp.Diff(want, DiskOf(root, dir, 12*time.Hour)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
	}
	if got := DiskOf(root, "/", time.Second); got.PerDay != 0 {
		t.Errorf("%v bytes a day, after a second", got.PerDay)
	}
	if got := DiskOf(tree(nil), "/", time.Hour); got != (Disk{}) {
		t.Errorf("%+v of nothing", got)
	}
}

func TestWorn(t *testing.T) {
	for life, want := range map[string]string{"": "", "0x00 0x00": "", "0x01 0x01": "0 to 10 %", "0x01 0x0b": "more than 100 %", "x y": ""} {
		if got := worn(life); got != want {
			t.Errorf("%q: %q, want %q", life, got, want)
		}
	}
}
