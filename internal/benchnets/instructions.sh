#!/usr/bin/env bash
# Counts the instructions that TFLite with XNNPACK and the Go engine need for a
# frame of the nets that docs/speed.md names, one thread, on an emulated CPU with
# AVX-512 and VNNI: bochs has no cycles, and its clock ticks once an instruction.
# So this compares work, not time, on a machine that need not be at hand.
#
#   instructions.sh [NET...]   of internal/benchnets and .deps/models; all unless named
#   STEPS=1 instructions.sh NET   the Go engine's, step by step
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD tick=1.5 # million instructions in a millisecond of the guest
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/testdata/lib" "$dir/nets"

# The collector of before: see avx512.sh.
GOEXPERIMENT=nogreenteagc go build -tags tflite -o "$dir/testdata/edged" ./cmd/edged
ldd "$dir/testdata/edged" | awk '$3 ~ /^\// {print $3}' | xargs cp -L -t "$dir/testdata/lib"
internal/benchnets/nets.sh "$dir/nets"

[ $# -gt 0 ] || set -- {belt,dense_wide,dense_narrow,mobilenet_v1_224}_{f32,int8} face_detection_full_range pose_landmark_{lite,full}
how=(--compare tflite,go)
[ -z "${STEPS:-}" ] || how=(--engine go --steps)
cd "$dir"
for net; do
  cp "nets/$net.tflite" "testdata/$net.tflite"
  AVX512_SECONDS=${AVX512_SECONDS:-1800} "$here/internal/setup/avx512.sh" --program /lib64/ld-linux-x86-64.so.2 --library-path testdata/lib \
    testdata/edged bench "${how[@]}" --threads 1 --runs 1 "testdata/$net.tflite" >out 2>&1 || { cat out >&2; exit 1; }
  rm "testdata/$net.tflite"
  if [ -n "${STEPS:-}" ]; then
    tr -cd '[:print:]\n' <out
  else
    awk -v net="$net" -v tick="$tick" '/xnnpack/ {x=$5} $2=="go" {f=$4} END {printf "%-28s XNNPACK %9.1f  edged %9.1f million instructions, ratio %.2f\n", net, x*tick, f*tick, x/f}' out
  fi
done
