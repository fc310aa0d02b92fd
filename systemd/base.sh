# A minimal Debian 12 that boots in a container, laid out once below .deps/boot.
# Sourced by boot.sh and packaging/test.sh, which stand in the checkout's root.
deps=${DEPS:-$PWD/.deps}
base=$deps/boot/base

# lay_base lays it out at $base.
lay_base() {
  local missing=() p mirror
  for p in systemd-container debootstrap gcc; do
    [ "$(dpkg-query -W -f '${Status}' $p 2>/dev/null)" = "install ok installed" ] || missing+=($p)
  done
  [ ${#missing[@]} = 0 ] || { say "installing ${missing[*]}"; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >&2; }
  [ ! -e "$base/.complete" ] || return 0
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
  [ -n "$mirror" ] || die "apt on this machine knows no source for Debian bookworm"
  say "laying out a minimal Debian (some minutes, once)"
  rm -rf "$base" && mkdir -p "$base"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libstdc++6 bookworm "$base" "$mirror" >"$deps/boot/debootstrap.log" 2>&1 ||
    die "debootstrap failed, see $deps/boot/debootstrap.log"
  touch "$base/.complete"
}

# boot_and_check ROOT COMMAND boots ROOT, runs COMMAND in it and shows /var/log/check,
# whose last line must be PASS.
boot_and_check() {
  cat >"$1/etc/systemd/system/check.service" <<UNIT
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=$2
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=600
[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
  ln -sf /etc/systemd/system/check.service "$1/etc/systemd/system/multi-user.target.wants/check.service"
  say "booting"
  timeout 900 systemd-nspawn -q --register=no --keep-unit -b -D "$1" </dev/null >"$deps/boot/console.log" 2>&1 ||
    say "the container ended with code $? (see $deps/boot/console.log)"
  cat "$1/var/log/check" 2>/dev/null || die "the check did not run: see $deps/boot/console.log"
  grep -qx PASS "$1/var/log/check" || die "failed"
}
