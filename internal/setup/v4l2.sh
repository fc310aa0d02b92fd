#!/usr/bin/env bash
# Tests V4L2 cameras without one: Debian's own kernel with its virtual camera vivid
# in an emulated machine, the built programs inside, on this machine's files, which
# it can only read.
#
#   v4l2.sh [go test flags]
#
# Everything is fetched and unpacked below .deps/v4l2; nothing of it is installed but
# the emulator. V4L2_SECONDS limits the machine's life, 900 seconds unless set.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
tree=$(realpath "$here/../..")
deps=$(realpath -m "${DEPS:-$tree/.deps}")/v4l2
die() { printf 'v4l2: %s\n' "$*" >&2; exit 1; }

[ "$(dpkg --print-architecture)" = amd64 ] || die "the emulated machine is an amd64 one: run this on amd64"
[ -x "$tree/bin/edged-camera" ] || die "the programs are not built: run it as 'make test-v4l2'"

# busybox MODULE...: the ram disk that finds this machine's files and goes on there.
ramdisk() {
  local root=$work/initrd module
  mkdir -p "$root/bin" "$root/mods" "$root/old" "$root/top" "$root/new" "$root/proc" "$root/sys" "$root/dev"
  cp "$(command -v busybox)" "$root/bin/"
  : >"$root/order"
  for module in "$@"; do
    modprobe -d "$deps/kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | awk '!seen[$0]++' | while read -r module; do
    cp "$module" "$root/mods/"
    echo "/mods/${module##*/}" >>"$root/order"
  done
  cat >"$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r m; do /bin/busybox insmod "$m" || echo "v4l2: no module $m"; done </order
/bin/busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /old
/bin/busybox mount -t tmpfs top /top
/bin/busybox mkdir /top/up /top/work
/bin/busybox mount -t overlay -o lowerdir=/old,upperdir=/top/up,workdir=/top/work root /new
for d in proc sys dev; do /bin/busybox mount --move /$d /new/$d; done
exec /bin/busybox switch_root /new $(/bin/busybox sed 's/.*guest=\([^ ]*\).*/\1/' /new/proc/cmdline)
END
  chmod +x "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$work/ramdisk"
}

"$here/deps.sh" v4l2
version=$(ls "$deps/kernel/lib/modules")
work=$(mktemp -d "$deps/run.XXXXXX") # not in /tmp, of which the machine has its own
trap 'rm -rf "$work"' EXIT
ramdisk virtio_pci 9p 9pnet_virtio overlay

# What the machine runs: the tests, with this environment.
(cd "$tree" && CGO_ENABLED=0 go test -c -tags "faults v4l2" -o "$work/v4l2.test" ./internal/faults)
cat >"$work/guest" <<END
#!/bin/bash
export PATH=$PATH HOME=/tmp LD_LIBRARY_PATH=$tree/lib/edged EDGED_BIN=$tree/bin V4L2_KERNEL=$deps/kernel V4L2_UDEV=$deps/udev V4L2_VERSION=$version
exec bash $here/v4l2-guest.sh $tree/internal/faults $work/v4l2.test $(printf ' %q' -test.v -test.run TestV4L2 "$@")
END
chmod +x "$work/guest"

# The machine's clock counts its instructions, one a nanosecond: however busy this
# machine is, it sees a processor of the same speed, and deadlines mean the same.
timeout -s KILL "${V4L2_SECONDS:-900}" qemu-system-x86_64 -nodefaults -no-reboot -M q35 -accel tcg,thread=single -icount shift=0 -cpu max -m 1536 \
  -display none -serial stdio -kernel "$deps/kernel/boot/vmlinuz-$version" -initrd "$work/ramdisk" \
  -append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check guest=$work/guest" \
  -virtfs local,path=/,mount_tag=root,security_model=none,multidevs=remap,readonly=on </dev/null 2>"$work/qemu" |
  sed -u 's/\r//g' | tee "$work/serial" || true
status=$(sed -n 's/^v4l2: exit status //p' "$work/serial")
[ -n "$status" ] || die "the emulated machine did not finish within ${V4L2_SECONDS:-900} seconds: $(tail -n 3 "$work/qemu")"
exit "$status"
