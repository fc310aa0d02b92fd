#!/usr/bin/env bash
# fuzz.sh TIME [NAME]: every fuzz target there is (or those whose name holds NAME)
# shares TIME (90s, 60m, 2h). Ends with a line for each; a finding is kept where
# go test keeps it, in testdata/fuzz of its package, and the rest goes on.
# Called by `make fuzz`, with the cgo environment set: two targets run TFLite.
set -uo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in
  *h) total=$((${1%h} * 3600)) ;;
  *m) total=$((${1%m} * 60)) ;;
  *) total=${1%s} ;;
esac
mapfile -t targets < <(grep -rH --include='*_test.go' --exclude-dir=.deps -oE "^func Fuzz[A-Za-z0-9_]*${2:-}[A-Za-z0-9_]*" . | sort)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no target has '${2:-}' in its name" >&2; exit 2; }
each=$((total / ${#targets[@]}))
[ "$each" -ge 1 ] || { echo "fuzz: $total seconds for ${#targets[@]} targets: give them at least a second each" >&2; exit 2; }
log=$(mktemp) bad=0
trap 'rm -f "$log"' EXIT
echo "fuzz: ${#targets[@]} targets, $each s each"
for t in "${targets[@]}"; do
  pkg=$(dirname "${t%%:*}") name=${t##* }
  if go test -tags tflite -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" -fuzzminimizetime 20s -timeout $((each + 600))s "$pkg" >"$log" 2>&1; then
    printf 'ok    %-28s %s\n' "$name" "$(grep -oE 'execs: [0-9]+|new interesting: [0-9]+' "$log" | tail -n 2 | paste -sd ' ')"
  else
    bad=1
    printf 'FOUND %-28s %s: go test -tags tflite -run %s %s\n' "$name" "$pkg" "$name" "$pkg"
    tail -n 40 "$log" | sed 's/^/      /'
  fi
done
exit $bad
