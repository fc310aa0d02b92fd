#!/usr/bin/env bash
# Makes the tables and drawings of train/nets/EVAL.md anew; what people wrote above
# the line "Measured" stays. CARD.md is made by training (make train).
set -euo pipefail
cd "$(dirname "$0")/../.."
edged=$1
nets=(train/nets/belt_valid.tflite train/nets/belt_valid_int8.tflite train/nets/belt_same.tflite train/nets/belt_same_int8.tflite)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed '/^## Measured$/,$d' train/nets/EVAL.md >"$tmp/EVAL.md"
{
  printf '## Measured\n\n'
  "$edged" eval "${nets[@]}" --source test:belt --frames 12 --threads 1 --patches "${PATCHES:-0}" --markdown --plot "$tmp/eval.svg"
  printf '\n## Robustness\n\nMade by `edged eval ... --source "test:belt?size=320x240" --frames 4 --perturb`; the same net at its own stride (dashed) and dense.\n\n![mean IoU against perturbations](robust.svg)\n\nMean IoU is over the classes that occur in truth or answer: on four frames a few stray pixels of an absent class cost up to a fifth.\n\n'
  "$edged" eval "${nets[@]}" --source 'test:belt?size=320x240' --frames 4 --threads 1 --perturb --plot "$tmp/robust.svg"
} >>"$tmp/EVAL.md"
mv "$tmp/eval.svg" "$tmp/robust.svg" "$tmp/EVAL.md" train/nets/
go generate ./internal/docgen # README has some of it
