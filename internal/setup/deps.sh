#!/usr/bin/env bash
# Fetches what edged is built from and tested with. Idempotent: what is there
# is left alone. Everything but Debian packages goes below .deps/.
#
#   deps.sh build   what `make build` and `make demo` need
#   deps.sh test    also what `make test` needs
#   deps.sh brokers also what `make test-brokers` needs
#   deps.sh torch   also PyTorch, which `make test-tune` and `make experiment` learn with
#   deps.sh runtimes also what `make test-runtimes` needs
#   deps.sh v4l2    what `make test-v4l2` needs, alone
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:-build}
deps=${DEPS:-$PWD/.deps}

build_packages=(gcc g++ libc6-dev make pkg-config ca-certificates libopencv-dev opencv-doc)
test_packages=(chromium mosquitto mosquitto-clients ffmpeg iproute2 nodejs openssl python3 python3-pil python3-numpy python3-paho-mqtt
  gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good libaravis-0.8-0 systemd)
v4l2_packages=(qemu-system-x86 busybox-static kmod cpio v4l-utils mosquitto iproute2)
avx512_packages=(bochs bochs-term bochsbios vgabios isolinux syslinux-common xorriso cpio)

# name@version, SHA-256 of the package file, then: path in the package, path below .deps
tflite_package=tfjs-tflite-node@0.0.2
tflite_sha=3be1632328a76a2475e5b6833253763c802c859433becb4d879ee1860e3b5284
pose_package=@mediapipe/pose@0.5.1675469404
pose_sha=8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84
face_package=@mediapipe/face_detection@0.4.1657300184
face_sha=a118cde74923dc4435257fbfbb613464a0f58d115dff6314d4ff96c8aebf6419
selfie_package=@mediapipe/selfie_segmentation@0.1.1675465747
selfie_sha=7767b33eaa68990ee06c28bbb89f39a13a47ebb07ff0f1fd4947d9e817bb9bf9
playwright_package=playwright-core@1.65.1
playwright_sha=6f5a60be62a4fddfbe7d10c448d8fbd54547da3358f2f8a04211440471ee863e
axe_package=axe-core@4.10.3
axe_sha=0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292
litert_package=@litertjs/core@2.5.3
litert_sha=a97660833e9e7e1063c95e12016718881240b14f7438728a2f62785e912d30fd
mqttjs_package=mqtt@5.10.1
mqttjs_sha=0868a82a6caa7780bad2227f856bc192b98c4ba14947e687e76dc3780cbfb8a6

aedes_package=aedes@1.2.0
aedes_sha=51d1c1a91ed62f2ca9c458de9f9762a8d8a508dd08491ae8869e810594c18a27
nodered_package=node-red@4.1.7
nodered_sha=8b5873f70f67bb1f7baa7dcd40461c729786310b3e5c6b963d4c634a6363b72c

say() { printf 'deps: %s\n' "$*" >&2; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "need root to install Debian packages: run as root, or install sudo"
  fi
}

# apt_install PACKAGE...: installs those that are missing.
apt_install() {
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" = "install ok installed" ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here; install these by hand: ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root apt-get update -qq || die "apt-get update failed: is this machine offline? Connect it, or install by hand: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install: ${missing[*]}. Is this machine offline, or its package list old?"
}

# npm_unpack PACKAGE SHA256 DIR: DIR/package holds the package's files.
npm_unpack() {
  local package=$1 sha=$2 dir=$3 file
  command -v npm >/dev/null || apt_install npm
  say "fetching $package"
  file=$(cd "$dir" && npm pack --silent "$package" | tail -n 1) && [ -n "$file" ] ||
    die "npm could not fetch $package: is this machine offline? Connect it and run 'make deps' again"
  echo "$sha  $dir/$file" | sha256sum --check --status ||
    die "$package is not the file expected (SHA-256 differs from $sha): refusing to use it"
  tar xzf "$dir/$file" -C "$dir"
}

# fetch STAMP PACKAGE SHA256 INSTALLER: runs INSTALLER in a scratch folder that
# holds the package, once for each version.
fetch() {
  local stamp=$deps/stamps/$1 package=$2 sha=$3 installer=$4 tmp
  [ "$(cat "$stamp" 2>/dev/null)" = "$package $sha" ] && return 0
  mkdir -p "$deps/stamps"
  tmp=$(mktemp -d "$deps/fetch.XXXXXX")
  npm_unpack "$package" "$sha" "$tmp"
  "$installer" "$tmp/package"
  rm -rf "$tmp"
  echo "$package $sha" >"$stamp"
}

install_tflite() {
  mkdir -p "$deps/tflite"
  cp -r "$1/cc_deps/include" "$1/cc_deps/linux_amd64" "$1/cc_deps/linux_arm64" "$deps/tflite/"
  chmod -R u+w,a+rX "$deps/tflite"
}

install_models() {
  mkdir -p "$deps/models"
  cp "$1"/*.tflite "$deps/models/"
  chmod u+w,a+r "$deps/models"/*.tflite
}

# npm_install DIR TGZ: the package as anyone installs it, with those that it
# depends on. Packages of JavaScript alone: no script of theirs is run.
npm_install() {
  npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --prefix "$1" "$2" ||
    die "npm could not fetch what ${2##*/} depends on: is this machine offline? Connect it and try again"
}

# The page's tests drive Debian's Chromium by these; neither depends on others.
install_page() {
  local name
  name=$(sed -n 's/^  "name": "\(.*\)",$/\1/p' "$1/package.json")
  rm -rf "$deps/page/node_modules/$name"
  mkdir -p "$deps/page/node_modules"
  cp -r "$1" "$deps/page/node_modules/$name"
}
# The handbook's JavaScript subscriber needs MQTT.js. A folder each, because npm
# takes away what it has not been asked for.
install_mqttjs() { npm_install "$deps/js" "$(echo "${1%/*}"/*.tgz)"; }
install_litert() { npm_install "$deps/litert" "$(echo "${1%/*}"/*.tgz)"; }
install_aedes() { npm_install "$deps/brokers/aedes" "$(echo "${1%/*}"/*.tgz)"; }
install_nodered() { npm_install "$deps/brokers/node-red" "$(echo "${1%/*}"/*.tgz)"; }

# fetch_linux: Debian's newest kernel for virtual machines, which avx512.sh boots
# in an emulator. It is unpacked, never installed.
fetch_linux() {
  local package tmp
  [ ! -f "$deps/avx512/linux" ] || return 0
  as_root apt-get update -qq || die "apt-get update failed: is this machine offline?"
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
  say "fetching $package"
  mkdir -p "$deps/avx512"
  tmp=$(mktemp -d "$deps/fetch.XXXXXX")
  (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb --fsys-tarfile ./*.deb | tar x --wildcards './boot/vmlinuz-*') ||
    die "apt-get could not fetch $package: is this machine offline?"
  mv "$tmp"/boot/vmlinuz-* "$deps/avx512/linux"
  rm -rf "$tmp"
}

# fetch_v4l2: Debian's newest kernel with its modules, which v4l2.sh boots in an
# emulator, and udev for inside of it. They are unpacked, never installed.
fetch_v4l2() {
  local kernel tmp
  [ ! -d "$deps/v4l2/kernel" ] || [ ! -d "$deps/v4l2/udev" ] || return 0
  as_root apt-get update -qq || die "apt-get update failed: is this machine offline?"
  kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p')
  say "fetching $kernel and udev"
  mkdir -p "$deps"
  tmp=$(mktemp -d "$deps/fetch.XXXXXX")
  (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$kernel" udev) || die "apt-get could not fetch $kernel and udev: is this machine offline?"
  dpkg-deb -x "$tmp"/udev_*.deb "$tmp/udev"
  dpkg-deb --fsys-tarfile "$tmp"/linux-*.deb | tar x -C "$tmp" --one-top-level=kernel --wildcards './boot/vmlinuz-*' './lib/modules/*/modules.*' \
    './lib/modules/*/kernel/drivers/media/*' './lib/modules/*/kernel/drivers/virtio/*' './lib/modules/*/kernel/net/9p/*' './lib/modules/*/kernel/fs/*' \
    './lib/modules/*/kernel/drivers/video/*' './lib/modules/*/kernel/drivers/gpu/drm/*.ko' './lib/modules/*/kernel/lib/*'
  depmod -b "$tmp/kernel" "$(ls "$tmp/kernel/lib/modules")" 2>/dev/null
  mkdir -p "$deps/v4l2"
  rm -rf "$deps/v4l2/kernel" "$deps/v4l2/udev"
  mv "$tmp/kernel" "$tmp/udev" "$deps/v4l2/"
  rm -rf "$tmp"
}

# fetch_aravis: the fake GigE Vision camera. Its package, which depends on GTK, is
# unpacked, never installed.
fetch_aravis() {
  local tmp
  [ ! -x "$deps/aravis/usr/bin/arv-fake-gv-camera-0.8" ] || return 0
  say "fetching aravis-tools"
  mkdir -p "$deps"
  tmp=$(mktemp -d "$deps/fetch.XXXXXX")
  (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download aravis-tools) || die "apt-get could not fetch aravis-tools: is this machine offline?"
  dpkg-deb -x "$tmp"/*.deb "$deps/aravis"
  rm -rf "$tmp"
}

if [ "$what" = v4l2 ]; then
  apt_install "${v4l2_packages[@]}"
  fetch_v4l2
  exit 0
fi
apt_install "${build_packages[@]}"
[ "$what" = build ] || apt_install "${test_packages[@]}"
fetch tflite $tflite_package $tflite_sha install_tflite
cmp -s tflite/include/tensorflow/lite/c/c_api_experimental.h "$deps/tflite/include/tensorflow/lite/c/c_api_experimental.h" ||
  cp tflite/include/tensorflow/lite/c/c_api_experimental.h "$deps/tflite/include/tensorflow/lite/c/"
fetch pose $pose_package $pose_sha install_models
if [ "$what" != build ]; then
  fetch_aravis
  fetch face $face_package $face_sha install_models
  fetch selfie $selfie_package $selfie_sha install_models
  fetch mqttjs $mqttjs_package $mqttjs_sha install_mqttjs
  fetch playwright $playwright_package $playwright_sha install_page
  fetch axe $axe_package $axe_sha install_page
  if [ "$(dpkg --print-architecture)" = amd64 ] && ! grep -q avx512_vnni /proc/cpuinfo; then
    apt_install "${avx512_packages[@]}"
    fetch_linux
  fi
fi
if [ "$what" = runtimes ]; then
  fetch litert $litert_package $litert_sha install_litert
fi
if [ "$what" = brokers ]; then
  fetch aedes $aedes_package $aedes_sha install_aedes
  fetch nodered $nodered_package $nodered_sha install_nodered
  mkdir -p "$deps/brokers"
  CGO_ENABLED=0 go build -C internal/faults/brokers/nats -o "$deps/brokers/nats" . || die "the NATS node could not be built: is this machine offline?"
fi
if [ "$what" = torch ]; then
  apt_install python3-torch python3-numpy
fi
say "complete"
