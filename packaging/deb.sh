#!/usr/bin/env bash
# deb.sh ARCH...: Debian packages in dist/, for amd64, arm64 and armhf. What another
# architecture needs to be built with cgo is installed by apt-get.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/stage.sh

nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0
VERSION=$(version)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
runtime="libc6 (>= 2.34), libgcc-s1, libstdc++6, libopencv-core406, libopencv-imgproc406, libopencv-imgcodecs406, libopencv-videoio406"

# changelog STAGE: Debian's form of CHANGELOG.md, as one entry.
changelog() {
  {
    printf 'edged (%s) unstable; urgency=medium\n\n  * What users notice is in NEWS.gz.\n\n' "$VERSION"
    printf ' -- edged <edged@localhost>  %s\n' "$(TZ=UTC date -R -d "@$SOURCE_DATE_EPOCH")"
  } | gzip -9nc >"$1/usr/share/doc/edged/changelog.gz"
  gzip -9nc CHANGELOG.md >"$1/usr/share/doc/edged/NEWS.gz"
}

# copyright STAGE: Debian's form of LICENSE; the linked libraries' are in NOTICE.
copyright() {
  local doc=$1/usr/share/doc/edged
  rm -f "$doc/LICENSE" && gzip -9nf "$doc/NOTICE"
  {
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: edged\n\n'
    printf 'Files: *\nCopyright: 2026 the edged authors\nLicense: Apache-2.0\n On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n\n'
    printf 'Comment:\n The programs and the TensorFlow Lite library contain work of others. Their names\n and terms are in NOTICE.gz beside this file.\n'
  } >"$doc/copyright"
}

# fill FILE is FILE with the values of the names in ${...}.
fill() {
  local text name
  text=$(<"$1")
  for name in VERSION ARCH DEPENDS STAGE SUMMARY; do text=${text//"\${$name}"/${!name}}; done
  printf '%s\n' "$text"
}

for ARCH in "$@"; do
  STAGE=dist/stage/$ARCH DEPENDS=$runtime SUMMARY="dense masks from cameras, published over MQTT"
  [ "$ARCH" != armhf ] || DEPENDS="libc6" SUMMARY="$SUMMARY (the Go engine alone)"
  stage "$ARCH" "$STAGE"
  mkdir -p "$STAGE/lib" && mv "$STAGE/usr/lib/systemd" "$STAGE/lib/"
  changelog "$STAGE"
  copyright "$STAGE"
  install -D -m 644 packaging/lintian-overrides "$STAGE/usr/share/lintian/overrides/edged"
  find "$STAGE" -type d -exec chmod 755 {} +
  fill packaging/nfpm.yaml >dist/nfpm.yaml
  file=dist/edged_${VERSION}_$ARCH.deb
  GOFLAGS='' GOARCH='' go run "$nfpm" package -f dist/nfpm.yaml -p deb -t "$file" >/dev/null
  say "$file: $(du -k "$file" | cut -f1) kB, installed $(dpkg-deb -f "$file" Installed-Size) kB"
done
