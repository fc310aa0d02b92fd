# What test.sh is made of: steps that go on after a failure, and a summary of
# their times and of each failure with the command that repeats it alone. Commands
# are strings, so that what ran can be pasted. Sourced by test.sh and its test.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: >"$work/table" >"$work/own" >"$work/failures"
step_name=

# cpu sets cpu to the processor time of everything that has ended so far, in
# seconds. Not by $(cpu): a subshell has no children whose time it could tell.
cpu() {
  times >"$work/times"
  cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "m"); s += t[1] * 60 + t[2] }; printf "%d", s }' "$work/times")
}

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# step NAME begins a step and ends the one before.
step() {
  end_step
  cpu
  step_name=$1 step_began=$SECONDS step_cpu=$cpu step_failures=$(wc -l <"$work/failures")
  printf '\n== %s\n' "$step_name"
}

end_step() {
  [ -n "$step_name" ] || return 0
  local verdict=ok
  cpu
  [ "$(wc -l <"$work/failures")" = "$step_failures" ] || verdict=FAIL
  printf '%-4s %6s %6s  %s\n' $verdict "$(clock $((SECONDS - step_began)))" "$(clock $((cpu - step_cpu)))" "$step_name" >>"$work/table"
  step_name=
}

# run COMMAND is a command that repeats itself.
run() {
  logged "$1" && return
  printf '%s\n' "$1" >>"$work/failures"
  return 1
}

# logged COMMAND runs it, its output shown and in $work/log.
logged() {
  bash -c "$1" 2>&1 | grep -a --line-buffered -v '\[no test files\]$' | tee "$work/log"
  return "${PIPESTATUS[0]}"
}

# tests COMMAND PACKAGES [SELECTION] runs go test, or a script that takes what it
# takes. Each package that fails is repeated by a command of its own, with the
# tests that failed, unless SELECTION is one of subtests.
tests() {
  local command=$1 packages=$2 selection=${3:-} status
  logged "$command $packages${selection:+ -run '$selection'}"
  status=$?
  grep -aE '^(ok|FAIL|--- FAIL)' "$work/log" >>"$work/own"
  [ $status != 0 ] || return 0
  # go test prints the failed tests of a package, then the package.
  awk -v command="$command" -v keep="$([[ $selection == */* ]] && echo "$selection")" '
    /^--- FAIL: / { names = names (names == "" ? "" : "|") $3 }
    /^FAIL\t/ {
      package = $2; sub(/^edged\//, "./", package); sub(/^edged$/, ".", package)
      select = keep != "" ? keep : names != "" ? "^(" names ")$" : ""
      printf "%s %s -count 1%s\n", command, package, select == "" ? "" : " -run \x27" select "\x27"
      names = ""; n++
    }
    END { exit n == 0 }' "$work/log" >>"$work/failures" ||
    printf '%s\n' "$command $packages${selection:+ -run '$selection'}" >>"$work/failures"
  return 1
}

# summary ends the last step, tells how all went and returns 1 after a failure.
summary() {
  end_step
  cpu
  printf '\n== summary: %s, %s of processor time (the budget is 15:00 on two quiet cores)\n' "$(clock $SECONDS)" "$(clock $cpu)"
  printf '     %6s %6s\n' time cpu
  cat "$work/table"
  printf '\n'
  cat "$work/own"
  [ -s "$work/failures" ] || return 0
  printf '\n%s\n' "FAILED. Each alone, after: eval \"\$(make -s env)\""
  sed 's/^/  /' "$work/failures"
  return 1
}
