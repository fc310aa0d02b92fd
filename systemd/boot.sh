#!/usr/bin/env bash
# Boots a real systemd in a container and runs the installed service in it:
#
#   - it starts, says READY, and has a dynamic user;
#   - it outlives several watchdog intervals, so it is fed;
#   - an engine that hangs is killed by the watchdog and the service comes back;
#   - a password credential reaches it; stop takes less than 5 seconds;
#   - a camera worker that the kernel ends for its memory is not the service's end;
#   - it starts on a full disk, and keeps its state once there is room;
#   - a changed config is taken over by reload, a bad one changes nothing;
#   - SIGHUP in its first 100 ms does it no harm;
#   - a bad config ends in exit code 78 and is not tried again.
#
# Needs root. The container's files are below .deps/; Debian's mirror is the one
# that this machine's apt uses.
set -euo pipefail
cd "$(dirname "$0")/.."
. systemd/base.sh
root=$deps/boot/root
say() { printf 'boot: %s\n' "$*" >&2; }
die() { printf 'boot: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "needs root for systemd-nspawn: run 'sudo make test-systemd'"
lay_base

say "installing edged into it"
rm -rf "$root" && cp -a "$base" "$root"
make -s install DESTDIR="$root" PREFIX=/usr
bin/edged rewrite train/nets/belt_valid.tflite --input 240x320 --output-stride 4 -o "$deps/boot/belt.tflite" >/dev/null
install -D -m 644 "$deps/boot/belt.tflite" "$root/usr/share/edged/belt.tflite"
# A hung engine, made: once /run/hang exists, the call that runs a graph does
# not return any more.
gcc -shared -fPIC -o "$root/usr/lib/edged/hang.so" -x c - -ldl <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int TfLiteInterpreterInvoke(void *interpreter) {
	static int (*real)(void *);
	if (!real) real = dlsym(RTLD_NEXT, "TfLiteInterpreterInvoke");
	while (access("/run/hang", F_OK) == 0) sleep(1);
	return real(interpreter);
}
C
cat >"$root/etc/edged/edged.toml" <<'TOML'
[node]
name = "boot"
http = ""
[mqtt]
broker = "tcp://127.0.0.1:1"
username = "line"
password_file = "edged.mqtt-password"
spool_dir = "/var/lib/edged/spool"
[[camera]]
name = "belt"
source = "test:belt"
trigger = "interval:100ms"
model = "/usr/share/edged/belt.tflite"
engine = "tflite"
TOML
install -d -m 700 "$root/etc/credstore"
echo "not-a-secret" >"$root/etc/credstore/edged.mqtt-password"
# The shim is for the test, so is the shorter interval. Linked Go programs and
# libraries stay as they are installed.
mkdir -p "$root/etc/systemd/system/edged.service.d"
cat >"$root/etc/systemd/system/edged.service.d/test.conf" <<'UNIT'
[Service]
WatchdogSec=4
Environment=LD_PRELOAD=/usr/lib/edged/hang.so
UNIT
# In the worker's place, for the container has no OpenCV: once /run/grow exists it
# takes memory until somebody stops it.
cat >"$root/usr/bin/edged-camera" <<'WORKER'
#!/bin/bash
until [ -e /run/grow ]; do sleep 0.1; done
exec tail /dev/zero
WORKER
install -m 755 systemd/boot_check.sh "$root/usr/lib/edged/check.sh"
boot_and_check "$root" /usr/lib/edged/check.sh
