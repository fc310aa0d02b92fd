#!/bin/bash
# Runs inside the container that boot.sh makes and writes /var/log/check; its
# last line is PASS only when everything held.
exec >/var/log/check 2>&1
set -u
bad=0
ok() { echo "ok    $*"; }
no() { echo "FAIL  $*"; bad=1; }
prop() { systemctl show edged -p "$1" --value; }
try() { # try SECONDS TEXT COMMAND...
  local end=$(($(date +%s) + $1)) text=$2
  shift 2
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || { no "$text"; return 1; }
    sleep 0.2
  done
  ok "$text"
}
fed() { journalctl -u edged -q --no-pager | grep -q "$1"; }

systemctl start edged && ok "the unit starts: READY has come" || no "the unit does not start"
[ "$(prop ActiveState)" = active ] && ok "it is active: $(prop StatusText)" || no "it is $(prop ActiveState)"
pid=$(prop MainPID)
uid=$(stat -c %u "/proc/$pid" 2>/dev/null)
# systemd gives dynamic users the numbers 61184 to 65519.
[ "${uid:-0}" -ge 61184 ] && [ "$uid" -le 65519 ] && ok "it runs as a dynamic user, $uid" || no "it runs as user '$uid'"
video=$(getent group video | cut -d: -f3)
grep -Eq "^Groups:.*[[:space:]]$video([[:space:]]|$)" "/proc/$pid/status" && ok "it is in the group that opens cameras" || no "it is not in group video: $(grep ^Groups "/proc/$pid/status")"
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status" && ok "it has no capability" || no "it has capabilities"
# The broker does not exist; that the refusal is of the network and not of the
# password file shows that the credential was found.
fed 'no broker answers' && ok "the credential was read" || no "no attempt to connect in the log"
[ -d /var/lib/edged/spool ] && ok "the spool is in its state directory" || no "no spool"

sleep 14
[ "$(prop MainPID)" = "$pid" ] && [ "$(prop NRestarts)" = 0 ] && ok "it outlives three watchdog intervals" || no "restarted $(prop NRestarts) times without a cause"

touch /run/hang
try 20 "an engine that hangs is restarted by the watchdog" sh -c '[ "$(systemctl show edged -p NRestarts --value)" -ge 1 ]'
rm /run/hang
try 30 "it is active again" sh -c 'systemctl is-active -q edged'
fed 'Watchdog timeout' && ok "systemd says that it was the watchdog" || no "no watchdog timeout in the log"
fed 'a stage hangs' && ok "edged has named the stage" || no "edged has not named the stage"
[ "$(prop MainPID)" != "$pid" ] && ok "it is another process" || no "it is the same process"

start=$(date +%s%N)
systemctl stop edged
took=$((($(date +%s%N) - start) / 1000000))
[ $took -lt 5000 ] && [ "$(prop Result)" = success ] && ok "stop took $took ms" || no "stop took $took ms, result $(prop Result)"

said() { journalctl -u edged -q --no-pager --since "@$1" | grep -q "$2"; }
active() { [ "$(prop ActiveState)" = active ] && [ "$(prop NRestarts)" = "$restarts" ]; }
fresh() { # a new start, from which NRestarts counts
  systemctl stop edged
  systemctl reset-failed edged 2>/dev/null
  restarts=0 since=$(date +%s)
}

# SIGHUP from Go's first instruction on: as soon as the process catches it. In the
# linker's milliseconds before, the kernel's own answer to it holds.
catches() { local caught; caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null); [ $((0x0${caught:-0} & 1)) = 1 ]; }
early=0
for i in 1 2 3 4 5; do
  fresh
  systemctl start --no-block edged
  for n in $(seq 500); do
    pid=$(prop MainPID)
    [ "${pid:-0}" != 0 ] && [ "$(readlink "/proc/$pid/exe")" = /usr/bin/edged ] && catches "$pid" && break
  done
  begin=$(date +%s%N)
  while [ $((($(date +%s%N) - begin) / 1000000)) -lt 100 ]; do kill -HUP "$pid" 2>/dev/null; done
  for n in $(seq 150); do active && break; sleep 0.2; done
  active && [ "$(prop MainPID)" = "$pid" ] && early=$((early + 1))
done
[ $early = 5 ] && ok "SIGHUP in its first 100 ms, five times: it starts as if nothing were" || no "SIGHUP in its first 100 ms: $early of 5 starts were good"

# A config that has changed, and one that is wrong.
pid=$(prop MainPID)
cp /etc/edged/edged.toml /run/edged.toml
printf '[[camera.rule]]\nclass = "scratch"\nmax_total_ratio = 0.01\n' >>/etc/edged/edged.toml
systemctl reload edged
try 30 "a changed config is taken over by reload" said $since 'the config was changed.*rule'
echo 'klass = "scratch"' >>/etc/edged/edged.toml
systemctl reload edged
try 30 "a wrong config is told by reload" said $since 'reload failed.*klass'
[ "$(prop MainPID)" = "$pid" ] && active && ok "and it is the same process" || no "another process after the reload"
cp /run/edged.toml /etc/edged/edged.toml

# A disk that is full when it starts.
fresh
mount -t tmpfs -o size=256k,mode=0755 full /var/lib/private/edged && ok "the state is on a small disk" || no "no tmpfs"
dd if=/dev/zero of=/var/lib/private/edged/filler bs=4k 2>/dev/null
systemctl start edged
active && ok "it starts with a full disk" || no "with a full disk it is $(prop ActiveState), status $(prop ExecMainStatus)"
try 30 "it tells that the state is in memory alone" said $since 'kept in memory alone'
rm /var/lib/private/edged/filler
try 60 "it keeps its state once there is room" said $since 'is kept again'
[ -s /var/lib/private/edged/state.json ] && ok "the state is on the disk" || no "no state: $(ls -R /var/lib/private/edged)"
active && ok "without a restart" || no "it was restarted"
fresh
umount /var/lib/private/edged

# A camera worker that takes all memory. Where this container may not limit memory
# (control groups of version 1 on the host) a SIGKILL comes from here in place of
# the kernel.
printf '[[camera]]\nname = "eater"\nsource = "rtsp://127.0.0.1:9/x"\nmodel = "/usr/share/edged/belt.tflite"\nengine = "go"\n' >>/etc/edged/edged.toml
systemctl set-property --runtime edged MemoryMax=400M MemorySwapMax=0
systemctl start edged
pid=$(prop MainPID)
worker= # the child of the service, which has one
has_worker() { worker=$(sed -n "s/^\([0-9]*\) .*) [^Z] $pid .*/\1/p" /proc/[0-9]*/stat 2>/dev/null | head -n 1); [ -n "$worker" ]; }
gone() { ! [ -e "/proc/$1" ]; }
try 30 "a camera worker runs" has_worker
score=$(cat "/proc/$worker/oom_score_adj")
[ "${score:-0}" -gt 0 ] && ok "the kernel would end the worker first: oom_score_adj $score" || no "oom_score_adj of the worker is '$score'"
group=$(prop ControlGroup)
limit=$(cat /sys/fs/cgroup$group/memory.max /sys/fs/cgroup/memory$group/memory.limit_in_bytes 2>/dev/null | head -n 1)
if [ "${limit:-max}" != max ] && [ "$limit" -le 419430400 ]; then
  touch /run/grow
  try 60 "the kernel ends the worker for its memory" gone "$worker"
  rm /run/grow
else
  echo "note  memory cannot be limited here: SIGKILL in place of the kernel"
  kill -KILL "$worker"
fi
try 30 "another worker takes its place" has_worker
sleep 3
active && [ "$(prop MainPID)" = "$pid" ] && ok "the service goes on: $(prop Result)" || no "the service is $(prop ActiveState), $(prop Result), restarted $(prop NRestarts) times"
fresh
cp /run/edged.toml /etc/edged/edged.toml

echo nonsense >>/etc/edged/edged.toml
systemctl start edged
sleep 4
[ "$(prop ExecMainStatus)" = 78 ] && [ "$(prop ActiveState)" = failed ] && ok "a bad config ends in 78 and is not tried again" || no "bad config: status $(prop ExecMainStatus), $(prop ActiveState)"

[ $bad = 0 ] || journalctl -u edged --no-pager | tail -n 60
[ $bad = 0 ] && echo PASS || echo FAILED
