#!/usr/bin/env bash
# Tells in one line whether this machine's Go builds edged, and what cures it if
# not: go.mod says which Go is needed.
#
#   go.sh [GO.MOD]
set -uo pipefail
mod=$(realpath "${1:-$(dirname "$0")/../../go.mod}")
need=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$mod")
cure="unpack Go $need or later from https://go.dev/dl/ to /usr/local and put its bin folder first in PATH:
        export PATH=/usr/local/go/bin:\$PATH"
die() { printf 'make: %s\n  cure: %s\n' "$1" "$2" >&2; exit 1; }

if ! command -v go >/dev/null; then
  for dir in ${EDGED_GO_DIRS:-/usr/local/go/bin /usr/lib/go-"$need"/bin "${HOME:-/root}"/go/bin /snap/bin}; do
    [ ! -x "$dir/go" ] || die "edged is built with Go $need or later; there is one in $dir, which is not in PATH (sudo leaves it out, too)" \
      "export PATH=$dir:\$PATH"
  done
  die "edged is built with Go $need or later, and there is no go in PATH" "$cure"
fi
# A go of 1.21 or later fetches what go.mod asks for, unless GOTOOLCHAIN forbids it.
if ! version=$(cd "$(dirname "$mod")" && go version 2>&1); then
  die "edged is built with Go $need or later; $(command -v go) is older and could not fetch it: ${version##*$'\n'}" "$cure"
fi
have=$(sed -n 's/.*go version go\([0-9]*\.[0-9]*\).*/\1/p' <<<"$version")
if [ -n "$have" ] && [ "$(printf '%s\n' "$need" "$have" | sort -V | head -n 1)" != "$need" ]; then
  die "edged is built with Go $need or later; $(command -v go) is Go $have (Debian 12's own is 1.19)" "$cure"
fi
