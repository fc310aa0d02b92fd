#!/usr/bin/env bash
# Installs the package in a minimal Debian 12 that boots in a container, as a
# stranger would: apt install, the sample's config, masks at a subscriber; a newer
# package, removal, purge. DEB=FILE takes that package. Needs root; the container's files are below .deps/.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/stage.sh
. systemd/base.sh
root=$deps/boot/deb

[ "$(id -u)" = 0 ] || die "needs root for systemd-nspawn: run 'sudo make test-deb'"
[ -n "${DEB:-}" ] || make -s deb DEBS="$native"
debs=(dist/edged_*_"$native".deb)
deb=${DEB:-${debs[-1]}}
lay_base
rm -rf "$root" && cp -a "$base" "$root"

# The container's apt asks where this machine's does.
cp -a /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/trusted.gpg.d "$root/etc/apt/" 2>/dev/null || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
cp "$deb" "$root/root/edged.deb"

newer "$deb" "$root/root/later.deb"

say "apt install ./edged.deb"
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
in_root sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients' >"$deps/boot/deb.log" 2>&1 || die "see $deps/boot/deb.log"
in_root apt-get -o Dpkg::Options::=--force-unsafe-io install -y -qq --no-install-recommends /root/edged.deb >"$deps/boot/install.log" 2>&1 || die "see $deps/boot/install.log"
grep -q "edged waits for its config" "$deps/boot/install.log" || die "the package does not say what it waits for"
for program in edged edged-camera; do
  in_root ldd /usr/bin/$program | grep "not found" && die "$program lacks libraries"
done

install -m 755 packaging/test_inside.sh "$root/root/check.sh"
boot_and_check "$root" /root/check.sh
say "installed $(du -sk --apparent-size dist/stage/"$native" | cut -f1) kB, package $(du -k "$deb" | cut -f1) kB"
