# Lays out what an installed edged is, for an architecture. Sourced by deb.sh and
# dist.sh, which stand in the checkout's root.

say() { printf 'packaging: %s\n' "$*" >&2; }
die() { printf 'packaging: %s\n' "$*" >&2; exit 1; }
native=$(dpkg --print-architecture)
. packaging/foreign.sh

# OpenCV's modules whose headers gocv includes.
opencv_modules="core imgproc imgcodecs videoio calib3d dnn features2d flann highgui ml objdetect photo stitching video"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# apt_install PACKAGE...: installs those that are missing.
apt_install() {
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" = "install ok installed" ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} Debian packages"
  as_root apt-get update -qq || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# cross ARCH prepares a build with cgo for an architecture: what to set for it in
# $settings, its strip in $strip.
cross() {
  settings=(GOARCH="$1") strip=strip
  [ "$1" != "$native" ] || return 0
  [ "$1" = arm64 ] || die "cgo for $1 is not known on $native"
  apt_install g++-aarch64-linux-gnu
  lay_sysroot "$1"
  settings+=(SYSROOT="$sysroot" TRIPLET=aarch64-linux-gnu CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++) strip=aarch64-linux-gnu-strip
}

# stage ARCH DIR installs stripped programs and what belongs to them below DIR.
# armhf has the Go engine alone: there is no TFLite library for it.
stage() {
  local out=$PWD/dist/build/$1 dir=$2
  rm -rf "$dir" && mkdir -p "$dir"
  if [ "$1" = armhf ]; then
    stage_go arm "$dir/usr/bin/edged"
  else
    cross "$1"
    say "building for $1"
    env "${settings[@]}" make -s build OUT="$out" LINK="-s -w"
    env "${settings[@]}" make -s install-programs OUT="$out" DESTDIR="$dir" PREFIX=/usr
    $strip --strip-unneeded "$dir/usr/lib/edged/libtensorflowlite_c.so"
  fi
  make -s install-files DESTDIR="$dir" PREFIX=/usr
  stage_docs "$dir"
}

# stage_go GOARCH FILE builds the Go engine alone: static, no C, no cameras by OpenCV.
stage_go() {
  say "building the Go engine alone for $1"
  mkdir -p "${2%/*}"
  GOARCH=$1 GOARM=7 CGO_ENABLED=0 go build -ldflags "-s -w" -o "$2" ./cmd/edged
}

# stage_docs DIR adds what people read, and the bundled nets.
stage_docs() {
  local dir=$1 doc=$1/usr/share/doc/edged f
  install -d "$dir/usr/share/man/man1" "$dir/usr/share/bash-completion/completions" "$dir/usr/share/zsh/vendor-completions" \
    "$dir/usr/share/fish/vendor_completions.d" "$dir/usr/share/edged/models" "$doc/docs"
  manual
  for f in dist/build/man/*.1; do gzip -9nc "$f" >"$dir/usr/share/man/man1/${f##*/}.gz"; done
  dist/build/edged-man completion bash >"$dir/usr/share/bash-completion/completions/edged"
  dist/build/edged-man completion zsh >"$dir/usr/share/zsh/vendor-completions/_edged"
  dist/build/edged-man completion fish >"$dir/usr/share/fish/vendor_completions.d/edged.fish"
  install -m 644 train/nets/*.tflite "$dir/usr/share/edged/models/"
  install -m 644 docs/*.md docs/*.jpg "$doc/docs/"
  install -m 644 README.md "$doc/"
}

# manual makes the manual pages, once: by a program with a command for it.
manual() {
  [ ! -d dist/build/man ] || return 0
  go build -tags manpages -o dist/build/edged-man ./cmd/edged
  mkdir -p dist/build/man
  EDGED_MAN_DATE=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%d --format=%cd) dist/build/edged-man man dist/build/man
  cp packaging/edged-camera.1 dist/build/man/
}

# newer DEB FILE makes the same package of a later version.
newer() {
  local tmp
  tmp=$(mktemp -d)
  dpkg-deb -R "$1" "$tmp/x"
  sed -i 's/^Version: .*/&+later/' "$tmp/x/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$tmp/x" "$2" >/dev/null
  rm -rf "$tmp"
}

# version is that of the tag at hand, else of the commit's time and name.
version() {
  local tag
  tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) && { echo "${tag#v}"; return; }
  echo "0.1.0~git$(TZ=UTC git log -1 --abbrev=9 --date=format-local:%Y%m%d.%H%M%S --format=%cd.%h)"
}
