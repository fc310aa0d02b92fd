#!/usr/bin/env bash
# Counts the instructions that TFLite's arm64 library with XNNPACK and the Go engine
# need for one frame, one thread, as a Cortex-A53 (no dot product) and as a processor
# with all that the emulator knows: by class, and loads for each thousand
# multiplications of the net. It compares work, not time: a board's memory, its issue
# width and what it can do at once are not in it.
#
#   instructions_arm64.sh [NET...]   of internal/benchnets and .deps/models; all unless named
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
deps=${DEPS:-$(realpath .deps)}
lib=$deps/tflite

command -v qemu-aarch64 >/dev/null || {
  apt=(apt-get install -y -qq --no-install-recommends qemu-user)
  if [ "$(id -u)" = 0 ]; then "${apt[@]}" >/dev/null; else sudo "${apt[@]}" >/dev/null; fi
}
gcc -shared -fPIC -O2 -Wall -Wno-unused-parameter -o "$dir/libcount.so" internal/benchnets/count/plugin/count.c
mkdir "$dir/nets"
env -u CC internal/benchnets/nets.sh "$dir/nets"
(
  unset LD_LIBRARY_PATH
  GOARCH=arm64 CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc CGO_CFLAGS="-g -O2 -I$lib/include" CGO_LDFLAGS="-L$lib/linux_arm64 -ltensorflowlite_c" \
    go build -tags tflite -o "$dir/count" ./internal/benchnets/count
)

# count CPU ENGINE NET prints the plugin's line.
count() {
  qemu-aarch64 -cpu "$1" -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$lib/linux_arm64" -plugin "$dir/libcount.so" -d plugin \
    "$dir/count" "$2" "$dir/nets/$3.tflite" 2>&1 | tee "$dir/out" | grep '^count ' || { cat "$dir/out" >&2; exit 1; }
}

[ $# -gt 0 ] || set -- {belt,dense_wide,dense_narrow,mobilenet_v1_224}_{f32,int8} face_detection_full_range pose_landmark_{lite,full}
echo "| net | processor | engine | millions | multiply | load | store | other | loads per 1000 MAC | XNNPACK over edged |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for net; do
  macs=$(bin/edged inspect --json "$dir/nets/$net.tflite" | sed -n 's/^  "macs": \([0-9]*\).*/\1/p' | tail -n 1)
  for cpu in ${CPUS:-cortex-a53 max}; do
    theirs=
    for engine in tflite go; do
      line=$(count "$cpu" $engine "$net")
      awk -v net="$net" -v cpu="$cpu" -v engine=$engine -v macs="$macs" -v theirs="$theirs" '{
        for (i = 2; i <= NF; i++) { split($i, p, "="); n[p[1]] = p[2] }
        printf "| %s | %s | %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %s |\n", net, cpu, engine == "go" ? "edged" : "XNNPACK",
          n["total"]/1e6, n["multiply"]/1e6, n["load"]/1e6, n["store"]/1e6, n["other"]/1e6, 1000*n["load"]/macs,
          theirs ? sprintf("**%.2f**", theirs/n["total"]) : "" }' <<<"$line"
      theirs=$(sed 's/.*total=\([0-9]*\).*/\1/' <<<"$line")
    done
  done
done
