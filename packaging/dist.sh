#!/usr/bin/env bash
# Tarballs in dist/ and their checksums: what `make install` places for amd64 and
# arm64, to be unpacked at /, and the Go engine alone, static, for others too.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/stage.sh
version=$(version)
when=$(git log -1 --format=%ct)

# pack NAME DIR: a tarball that is the same each time.
pack() {
  tar czf "dist/$1.tar.gz" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -C "$2" .
  say "dist/$1.tar.gz: $(du -k "dist/$1.tar.gz" | cut -f1) kB"
}

for arch in ${ARCHS:-amd64 arm64}; do
  stage "$arch" "dist/stage/$arch"
  pack "edged_${version}_linux_$arch" "dist/stage/$arch"
done
for goarch in ${GO_ARCHS:-amd64 arm64 arm riscv64}; do
  dir=dist/stage/go_$goarch
  rm -rf "$dir"
  stage_go "$goarch" "$dir/edged"
  cp LICENSE NOTICE internal/config/sample.toml "$dir/"
  pack "edged_${version}_linux_${goarch}_go" "$dir"
done
(cd dist && sha256sum edged_"$version"_linux_*.tar.gz >SHA256SUMS)
say "dist/SHA256SUMS"
