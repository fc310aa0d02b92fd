#!/bin/bash
# Runs inside the container that test.sh makes and writes /var/log/check; its last
# line is PASS only when everything held.
exec >/var/log/check 2>&1
set -u
export DEBIAN_FRONTEND=noninteractive
bad=0
ok() { echo "ok    $*"; }
no() { echo "FAIL  $*"; bad=1; }
want() { # want TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then ok "$text"; else no "$text"; fi
}
try() { # try SECONDS TEXT COMMAND...
  local end=$(($(date +%s) + $1)) text=$2
  shift 2
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || { no "$text"; return 1; }
    sleep 0.5
  done
  ok "$text"
}
state() { systemctl show edged -p ActiveState --value; }
active() { [ "$(state)" = active ]; }
one() { timeout 120 mosquitto_sub -h 127.0.0.1 -C 1 -t "$1" >"$2" && [ -s "$2" ]; }

systemctl start mosquitto
want "the service is enabled" systemctl is-enabled -q edged.service
want "it waits: no config, not failed" [ "$(state)" = inactive ]
try 30 "what waits is active" systemctl is-active -q edged.path

want "the bundled net is rewritten" sh -c 'edged rewrite /usr/share/edged/models/belt_valid.tflite --input 480x640 --output-stride 4 -o /etc/edged/dense.tflite >/dev/null'
sed 's/^name = "line1"/name = "board"/' /etc/edged/edged.toml.sample >/tmp/edged.toml
want "edged check accepts the sample with one edit" edged check -c /etc/edged/edged.toml.sample
cp /tmp/edged.toml /etc/edged/edged.toml
try 120 "it starts by itself once there is a config" active
try 30 "nothing waits any more" sh -c '! systemctl is-active -q edged.path'
want "a mask arrives" one edged/board/cam1/mask /tmp/mask.png
want "it is a PNG" sh -c 'head -c 4 /tmp/mask.png | grep -q PNG'
want "a result arrives" one edged/board/cam1/result /tmp/result.json
want "the manual is there" test -s /usr/share/man/man1/edged-run.1.gz

systemctl stop edged
touch /etc/edged/edged.toml && echo "# edited" >>/etc/edged/edged.toml
sleep 2
want "stopped stays stopped when the config is edited" [ "$(state)" = inactive ]
systemctl start edged
try 120 "it starts again" active

dpkg -i /root/later.deb >/tmp/upgrade.log 2>&1 || no "upgrade: $(tail -n 3 /tmp/upgrade.log)"
try 120 "it runs after the upgrade" active
want "the upgrade is there" sh -c 'dpkg-query -W edged | grep -q later'
want "the config is kept" grep -q '# edited' /etc/edged/edged.toml
want "the spool is kept" test -d /var/lib/edged/spool
want "a mask arrives after the upgrade" one edged/board/cam1/mask /tmp/mask.png

apt-get remove -y -qq edged >/tmp/remove.log 2>&1 || no "remove: $(tail -n 3 /tmp/remove.log)"
want "removed: stopped" sh -c '! grep -qx edged /proc/[0-9]*/comm'
want "removed: the config is kept" test -e /etc/edged/edged.toml
apt-get purge -y -qq edged >/tmp/purge.log 2>&1 || no "purge: $(tail -n 3 /tmp/purge.log)"
left=$(find / -xdev -name '*edged*' -not -path '/proc/*' -not -path '/tmp/*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/var/log/*' 2>/dev/null)
want "purge leaves nothing: $left" [ -z "$left" ]

[ $bad = 0 ] || journalctl -u edged --no-pager | tail -n 60
[ $bad = 0 ] && echo PASS || echo FAILED
