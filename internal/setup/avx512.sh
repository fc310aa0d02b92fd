#!/usr/bin/env bash
# Runs tests in an emulated PC whose CPU has AVX-512 with VNNI: the kernels of
# that variant without the machine. It says nothing about speed: bochs runs some
# tens of millions of instructions a second, so -short and -run choose the cases.
#
#   avx512.sh PACKAGE... [go test flags]   CGO_ENABLED=0
#   avx512.sh --program FILE ARGUMENT...   a program of this folder
#
# Where the CPU itself has both, tests are not run again: they cover them there.
# The emulated machine gets EDGED_... variables and the folder's testdata.
# AVX512_SECONDS limits one program's run, 900 seconds unless set.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
die() { printf 'avx512: %s\n' "$*" >&2; exit 1; }

# Things that bochs 2.7 tells of its CPU that Linux believes:
# a compacted XSAVE area as large as a plain one, protection keys with no place
# in it, fast short "rep movsb" beside a switched off fast one (Linux's memmove
# then checks no length), and performance counters that are not there.
clear=clearcpuid=xsaves,xsavec,pku,fsrm,aperfmperf

# image DIR PROGRAM ARGUMENT...: DIR/boot.iso starts Linux with guest as /init.
image() {
  local dir=$1 root=$1/root iso=$1/iso
  shift
  mkdir -p "$root/test" "$iso"
  cp "$AVX512_GUEST" "$root/init"
  cp "$1" "$root/program"
  [ ! -d testdata ] || cp -r testdata "$root/test/"
  { env | grep '^EDGED_' || true; echo "HOME=/tmp"; echo; printf '%s\n' /program "${@:2}"; } >"$root/command"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$iso/initrd"
  cp "$AVX512_LINUX" "$iso/linux"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$iso/"
  printf '%s\n' 'default guest' 'prompt 0' 'label guest' 'linux /linux' 'initrd /initrd' \
    "append console=ttyS0,115200 loglevel=1 nokaslr mitigations=off init_on_alloc=0 lsm= $clear" >"$iso/isolinux.cfg"
  xorriso -as mkisofs -quiet -o "$dir/boot.iso" -b isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table "$iso" 2>"$dir/xorriso.log" ||
    die "no boot image: $(cat "$dir/xorriso.log")"
}

# boot DIR: until the guest powers off; the serial line goes to DIR/serial.
boot() {
  cat >"$1/bochsrc" <<END
display_library: term
config_interface: textconfig
cpu: model=corei7_icelake_u, count=1, ips=50000000, ignore_bad_msrs=1
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=none, update_freq=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$1/boot.iso, status=inserted
boot: cdrom
clock: sync=none
com1: enabled=1, mode=file, dev=$1/serial
plugin_ctrl: unmapped=1, biosdev=1, serial=1, speaker=0, extfpuirq=0, parallel=0, gameport=0, iodebug=0
log: $1/bochs.log
error: action=ignore
panic: action=fatal
END
  echo continue >"$1/debugger"
  TERM=vt100 timeout -s KILL "$AVX512_SECONDS" bochs -q -f "$1/bochsrc" -rc "$1/debugger" </dev/null >"$1/out" 2>&1 || true
}

# run PROGRAM ARGUMENT...: as `go test -exec` calls it, in the package's folder.
run() {
  local dir status
  dir=$(mktemp -d)
  trap "rm -rf '$dir'" EXIT
  image "$dir" "$@"
  boot "$dir"
  tr -d '\r' <"$dir/serial" >"$dir/text" || die "bochs did not start: $(tail -n 3 "$dir/out")"
  status=$(sed -n 's/^guest: exit status //p' "$dir/text")
  sed '/^guest: exit status /,$d' "$dir/text"
  [ -n "$status" ] || die "the emulated machine did not finish within $AVX512_SECONDS seconds (AVX512_SECONDS sets more): the above is what it printed"
  exit "$status"
}

[ $# -gt 0 ] || die "which package?"
export AVX512_SECONDS=${AVX512_SECONDS:-900}
if [ "$1" = --run ]; then run "${@:2}"; fi

if [ "$1" != --program ] && grep -q avx512_vnni /proc/cpuinfo; then
  echo "avx512: this CPU has AVX-512 with VNNI: its own tests cover them"
  exit 0
fi
if [ "$(dpkg --print-architecture)" != amd64 ]; then
  echo "avx512: Debian's kernel for the emulated machine is packaged for amd64 alone: not tested here"
  exit 0
fi
export AVX512_LINUX=${DEPS:-$here/../../.deps}/avx512/linux
[ -f "$AVX512_LINUX" ] && which bochs xorriso cpio >/dev/null || die "no kernel or no bochs: run 'make deps-test'"
export GOARCH=amd64 CGO_ENABLED=0 AVX512_GUEST
AVX512_GUEST=$(mktemp)
trap 'rm -f "$AVX512_GUEST"' EXIT
go build -C "$here/guest" -o "$AVX512_GUEST" .
if [ "$1" = --program ]; then "$here/avx512.sh" --run "${@:2}"; exit; fi
cd "$here/../.."
# Under bochs the collector of Go 1.26, which scans the heap with AVX-512, crashed
# once on a "marked free object"; with the collector of before nothing did.
export GOEXPERIMENT=nogreenteagc
go test -exec "$here/avx512.sh --run" -timeout 120m "$@"
