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

echo nonsense >>/etc/edged/edged.toml
systemctl start edged
sleep 4
[ "$(prop ExecMainStatus)" = 78 ] && [ "$(prop ActiveState)" = failed ] && ok "a bad config ends in 78 and is not tried again" || no "bad config: status $(prop ExecMainStatus), $(prop ActiveState)"

[ $bad = 0 ] || journalctl -u edged --no-pager | tail -n 60
[ $bad = 0 ] && echo PASS || echo FAILED
