#!/usr/bin/env bash
# make test-board: an emulated arm64 board (qemu-system, Debian's kernel, systemd, ext4
# on a virtio disk) on which the package is installed by apt and runs with a camera
# (vivid) and a broker: see board_inside.sh for what is asked of it. Its power is cut
# three times under load, which is the emulator's end: what its kernel had not
# written is lost, as on a board. DEB=FILE takes that package. Needs root.
#
# The image is laid out once below .deps/board. Its packages are unpacked and entered as
# installed, since configuring them takes half an hour here; OpenCV's libraries are
# left to apt, which takes them from a repository on the image.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/stage.sh
deps=${DEPS:-$PWD/.deps}
board=$deps/board root=$deps/board/root
began=$(date +%s)

packages="systemd systemd-sysv udev dbus kmod iproute2 mosquitto mosquitto-clients apt base-files base-passwd bash coreutils dash debianutils diffutils
  findutils grep gzip hostname init-system-helpers libc-bin login mawk passwd perl-base sed sysvinit-utils tar util-linux mount e2fsprogs v4l-utils procps busybox-static"
asked="libopencv-core406 libopencv-imgproc406 libopencv-imgcodecs406 libopencv-videoio406"

# enter FILE unpacks a package into the root and enters it as installed.
enter() {
  local name list
  name=$(dpkg-deb -f "$1" Package) list=$root/var/lib/dpkg/info
  [ "$(dpkg-deb -f "$1" Multi-Arch)" != same ] || name=$name:arm64
  dpkg-deb --fsys-tarfile "$1" | tar -xv --keep-directory-symlink --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -C "$root" |
    sed 's|^\.||; s|/$||; s|^$|/.|' >"$list/$name.list"
  { dpkg-deb -f "$1" | sed '/^Conffiles:/,/^[^ ]/{/^[^ ]/!d;/^Conffiles:/d}; 1a Status: install ok installed'; echo; } >>"$root/var/lib/dpkg/status"
}

# offer FILE puts a package into the repository on the image.
offer() {
  local dir=$root/srv/debs
  mkdir -p "$dir" && cp "$1" "$dir/"
  { dpkg-deb -f "$1"; echo "Filename: ./${1##*/}"; echo "Size: $(stat -c %s "$1")"; echo "SHA256: $(sha256sum <"$1" | cut -d' ' -f1)"; echo; } >>"$dir/Packages"
}

# lay_root makes the root's tree.
lay_root() {
  local file dir
  # shellcheck disable=SC2086
  files=$(debs_of arm64 $packages $asked) || exit 1
  rm -rf "$root" && mkdir -p "$root"/usr/{bin,sbin,lib} "$root"/var/lib/dpkg/{info,updates,triggers} "$root"/{etc,proc,sys,dev,run,tmp,root,srv}
  for dir in bin sbin lib; do ln -s usr/$dir "$root/$dir"; done
  say "unpacking $(wc -w <<<"$files") packages for the board"
  for file in $files; do
    case ${file##*/} in
    libopencv-core406_* | libopencv-imgproc406_* | libopencv-imgcodecs406_* | libopencv-videoio406_*) offer "$file" ;;
    *) enter "$file" ;;
    esac
  done
  lay_etc
  lay_kernel
}

# lay_etc does what the packages' scripts would have done.
lay_etc() {
  cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  echo "messagebus:x:100:102::/nonexistent:/usr/sbin/nologin" >>"$root/etc/passwd"
  echo "mosquitto:x:101:103::/var/lib/mosquitto:/usr/sbin/nologin" >>"$root/etc/passwd"
  printf 'messagebus:x:102:\nmosquitto:x:103:\n' >>"$root/etc/group"
  sed 's/:.*/:*:19000:0:99999:7:::/' "$root/etc/passwd" >"$root/etc/shadow"
  mkdir -p "$root/var/lib/mosquitto" "$root/var/log/mosquitto" && chown 101:103 "$root/var/lib/mosquitto" "$root/var/log/mosquitto"
  ln -sf dash "$root/usr/bin/sh" && ln -sf mawk "$root/usr/bin/awk"
  local lib=$root/usr/lib/aarch64-linux-gnu
  ln -sf blas/libblas.so.3 "$lib/libblas.so.3" && ln -sf lapack/liblapack.so.3 "$lib/liblapack.so.3"
  echo board >"$root/etc/hostname" && echo "127.0.0.1 localhost board" >"$root/etc/hosts"
  echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
  echo "deb [trusted=yes] file:/srv/debs ./" >"$root/etc/apt/sources.list"
  echo "/dev/vda / ext4 defaults 0 1" >"$root/etc/fstab"
  echo "options vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0" >"$root/etc/modprobe.d/vivid.conf"
  mkdir -p "$root/etc/modules-load.d" && echo vivid >"$root/etc/modules-load.d/vivid.conf"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  ln -s /lib/systemd/system/mosquitto.service "$root/etc/systemd/system/multi-user.target.wants/"
  ln -s /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  install -m 755 packaging/board_inside.sh "$root/root/check.sh"
  cat >"$root/etc/systemd/system/board.service" <<'UNIT'
[Unit]
After=mosquitto.service systemd-modules-load.service
[Service]
Type=simple
ExecStart=/root/check.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
[Install]
WantedBy=multi-user.target
UNIT
  ln -s ../board.service "$root/etc/systemd/system/multi-user.target.wants/board.service"
}

# lay_kernel adds Debian's kernel, its modules, and a small start that finds the disk.
lay_kernel() {
  local name version tmp=$board/kernel m order
  name=$(apt_of arm64 apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: //p' | head -n 1)
  mkdir -p "$tmp" && (cd "$tmp" && { ls ./"$name"_*.deb >/dev/null 2>&1 || apt_of arm64 apt-get -qq download "$name"; })
  dpkg-deb --fsys-tarfile "$tmp/$name"_*.deb | tar -x --keep-directory-symlink --exclude='*/drivers/net' --exclude='*/drivers/gpu' --exclude='*/sound' --exclude='*/drivers/infiniband' \
    --exclude='*/drivers/staging' --exclude='*/kernel/net' --exclude='*/drivers/iio' --exclude='*/drivers/scsi' -C "$root" ./boot ./lib/modules
  version=${name#linux-image-}
  depmod -b "$root" "$version"
  mv "$root/boot/vmlinuz-$version" "$board/vmlinuz" && rm -rf "$root/boot"
  rm -rf "$tmp/initrd" && mkdir -p "$tmp/initrd"/{bin,modules,proc,dev,root}
  cp "$root/bin/busybox" "$tmp/initrd/bin/"
  order=$(for m in virtio_mmio virtio_blk crc32c_generic ext4; do modprobe -d "$root" -S "$version" --show-depends "$m"; done | awk '$1 == "insmod" && !seen[$2]++ {print $2}')
  for m in $order; do cp "$m" "$tmp/initrd/modules/" && echo "${m##*/}"; done >"$tmp/initrd/modules/order"
  cat >"$tmp/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for m in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$m; done
/bin/busybox mount -t ext4 /dev/vda /root
exec /bin/busybox switch_root /root /lib/systemd/systemd
INIT
  chmod 755 "$tmp/initrd/init"
  (cd "$tmp/initrd" && find . | cpio -o -H newc --quiet | gzip -1) >"$board/initrd"
}

# lay_image lays the disk's image out, once for each layout.
lay_image() {
  local want
  want=$(cat packaging/board.sh packaging/foreign.sh | sha256sum)
  [ "$(cat "$board/.complete" 2>/dev/null)" != "$want" ] || return 0
  rm -f "$board/.complete" "$board/image" && mkdir -p "$board"
  lay_root
  truncate -s 3G "$board/image"
  mkfs.ext4 -q -F -d "$root" "$board/image"
  rm -rf "$root"
  echo "$want" >"$board/.complete"
}

# put FILE NAME copies a file to /root of the disk, by debugfs: nothing is mounted.
put() { debugfs -w -R "rm /root/$2" "$board/disk" >/dev/null 2>&1 || true; debugfs -w -R "write $1 /root/$2" "$board/disk" >/dev/null 2>&1; }

# boot STEP SECONDS boots the board into a step and waits for its last line: "done", or
# "cut", at which the power is cut.
boot() {
  local log=$board/console.$1 from pid last
  from=$(date +%s)
  : >"$log"
  qemu-system-aarch64 -nodefaults -no-reboot -M virt -cpu cortex-a72 -smp 2 -m 1024 -accel tcg,thread=multi -display none -serial "file:$log" \
    -kernel "$board/vmlinuz" -initrd "$board/initrd" -append "console=ttyAMA0 quiet loglevel=1 panic=-1 systemd.mask=serial-getty@ttyAMA0.service board.step=$1" \
    -drive "if=none,id=disk,format=raw,file=$board/disk,cache=writeback" -device virtio-blk-device,drive=disk </dev/null >"$board/qemu.log" 2>&1 &
  pid=$!
  while kill -0 $pid 2>/dev/null && [ $(($(date +%s) - from)) -lt "$2" ] && ! grep -q '^board: \(done\|cut\)' "$log"; do sleep 1; done
  last=$(sed -n 's/^board: \(done\|cut\).*/\1/p' "$log" | tail -n 1)
  if [ "$last" = cut ]; then sleep "0.$((RANDOM % 10))"; fi
  # A step that is done has shut down by itself, soon; else this is the cut.
  if [ "$last" = "done" ]; then timeout 120 tail --pid=$pid -f /dev/null || true; fi
  kill -KILL $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  sed -n 's/^board: \(\(ok\|FAIL\|note\) .*\)/\1/p' "$log" | tr -d '\r'
  say "step $1: ${last:-no end} after $(($(date +%s) - from)) s"
  [ -n "$last" ] && ! grep -q '^board: FAIL' "$log" || { tail -n 40 "$log" >&2; die "step $1 failed: see $log"; }
}

[ "$(id -u)" = 0 ] || die "needs root to lay out the image: run 'sudo make test-board'"
apt_install qemu-system-arm e2fsprogs cpio kmod
deb=${DEB:-}
[ -n "$deb" ] || { make -s deb DEBS=arm64; debs=(dist/edged_*_arm64.deb); deb=${debs[-1]}; }
lay_image
say "the image stands after $(($(date +%s) - began)) s"
cp --sparse=always "$board/image" "$board/disk"
newer "$deb" "$board/later.deb"
put "$deb" edged.deb
put "$board/later.deb" later.deb
put packaging/board_inside.sh check.sh && debugfs -w -R "set_inode_field /root/check.sh mode 0100755" "$board/disk" >/dev/null 2>&1
boot install "${BOARD_SECONDS:-1800}"
for cut in 1 2 3; do boot "cut$cut" "${BOARD_SECONDS:-1800}"; done
boot purge "${BOARD_SECONDS:-1800}"
say "all of it took $(($(date +%s) - began)) s"
