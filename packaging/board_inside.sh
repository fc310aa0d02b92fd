#!/bin/bash
# Runs on the emulated board that board.sh boots, in the step that the kernel's command
# line names. Lines that begin with "board: " are its answers; "done" or "cut" the last.
set -u
export DEBIAN_FRONTEND=noninteractive HOME=/root
step=$(sed 's/.*board\.step=\([a-z0-9]*\).*/\1/' /proc/cmdline)
say() { echo "board: $*"; }
ok() { say "ok   $*"; }
no() { say "FAIL $*"; systemctl status edged --no-pager -n 15 2>&1 | tail -n 15; }
want() { # want TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then ok "$text"; else no "$text"; fi
}
try() { # try SECONDS TEXT COMMAND...
  local end=$(($(date +%s) + $1)) text=$2 from
  from=$(date +%s)
  shift 2
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || { no "$text"; return 1; }
    sleep 1
  done
  ok "$text, $(($(date +%s) - from)) s"
}
active() { [ "$(systemctl show edged -p ActiveState --value)" = active ]; }
one() { timeout 300 mosquitto_sub -h 127.0.0.1 -C 1 -t "$1" >"$2" && [ -s "$2" ]; }
mask() { one edged/board/cam1/mask /tmp/mask.png && head -c 4 /tmp/mask.png | grep -q PNG; }
logged() { journalctl -b -u edged -q --no-pager | grep -q "$1"; }
listens() { (exec 3<>/dev/tcp/127.0.0.1/1883) 2>/dev/null; }
camera() { # camera away | back: vivid's device goes as if its plug were pulled
  if [ "$1" = away ]; then v4l2-ctl -d /dev/video0 -c disconnect=1; else modprobe -r vivid && modprobe vivid; fi
}
state=/var/lib/private/edged
good() { # the last good model is the one in use, whole
  local sum
  sum=$(sha256sum </etc/edged/dense.tflite | cut -d' ' -f1)
  grep -q "\"good\": *\"$sum\"" $state/state.json && find $state -type f -size -20M -exec sha256sum {} + | grep -q "^$sum"
}
whole() { # after a power cut
  try 600 "the service is there after the boot" active
  want "its state was read" sh -c '! journalctl -b -u edged -q --no-pager | grep -Eq "without the state|damaged|set aside"'
  want "the last good model is whole" good
}
# load makes events and masks until the power goes.
load() { while :; do for s in OFF ON; do mosquitto_pub -h 127.0.0.1 -q 1 -t edged/board/cam1/enabled/set -m $s; sleep 0.7; done; done; }

install_step() {
  ldconfig
  try 120 "a camera" test -e /dev/video0
  apt-get update -qq >/tmp/apt.log 2>&1 || no "apt-get update: $(tail -n 3 /tmp/apt.log)"
  apt-get install -y -qq --no-install-recommends /root/edged.deb >/tmp/apt.log 2>&1 || no "apt install: $(tail -n 5 /tmp/apt.log)"
  want "apt has resolved and installed what it depends on" sh -c 'dpkg-query -W -f "\${Status} " libopencv-videoio406 edged | grep -c "install ok installed" | grep -q 1'
  want "the programs find their libraries" sh -c '! { ldd /usr/bin/edged; ldd /usr/bin/edged-camera; } | grep "not found"'
  want "the service waits for its config" systemctl is-active -q edged.path
  local net=/usr/share/edged/models/belt_valid_int8.tflite
  edged rewrite $net --input 180x320 --output-stride 4 -o /etc/edged/dense.tflite >/tmp/rewrite.log 2>&1 || no "rewrite: $(tail -n 3 /tmp/rewrite.log)"
  edged rewrite $net --input 180x320 --output-stride 8 -o /root/other.tflite >/tmp/rewrite.log 2>&1 || no "rewrite: $(tail -n 3 /tmp/rewrite.log)"
  cat >/tmp/edged.toml <<'TOML'
[node]
name = "board"
http = "127.0.0.1:8077"
[mqtt]
broker = "tcp://127.0.0.1:1883"
[[camera]]
name = "cam1"
source = "/dev/video0?width=320&height=180&fps=5"
trigger = "interval:1s"
model = "dense.tflite"
engine = "go"
TOML
  cp /tmp/edged.toml /etc/edged/edged.toml
  try 600 "it starts by itself once there is a config" active
  want "masks arrive" mask
  resident
  want "it is a dynamic user's" sh -c '[ "$(stat -c %u /proc/$(systemctl show edged -p MainPID --value))" -ge 61184 ]'
  camera away
  try 300 "the camera's absence is told" sh -c 'mosquitto_sub -h 127.0.0.1 -C 1 -W 20 -t edged/board/cam1/status | grep -q offline'
  try 60 "it is back" camera back
  try 900 "so is its status" sh -c 'mosquitto_sub -h 127.0.0.1 -C 1 -W 20 -t edged/board/cam1/status | grep -q online'
  want "masks arrive again" mask
  cp /root/other.tflite /etc/edged/dense.tflite
  try 600 "a model put in place of the old one is adopted" logged "model adopted"
  want "masks arrive from it" mask
  sed -i 's/interval:1s/interval:2s/' /etc/edged/edged.toml
  systemctl reload edged
  try 120 "the changed config is looked at" logged "reload\|restart"
  sed -i 's/interval:2s/continuous/' /etc/edged/edged.toml
  systemctl restart edged
  want "masks arrive after a restart" mask
  try 900 "the model has become the last good one" good
}

# resident tells what the daemon takes with a camera and a model.
resident() { say "note the daemon takes $(sed -n 's/^VmRSS:[^0-9]*//p' "/proc/$(systemctl show edged -p MainPID --value)/status"), its camera's worker $(sed -n 's/^VmRSS:[^0-9]*//p' "/proc/$(pidof -s edged-camera)/status")"; }

cut1_step() {
  try 600 "the service is there after the boot" active
  want "masks arrive" mask
  try 900 "the model is the last good one" good
  load &
  sleep 20
}

cut2_step() {
  whole
  want "masks arrive" mask
  want "info tells of the cut" sh -c 'mosquitto_sub -h 127.0.0.1 -C 1 -W 60 -t edged/board/info | grep -q "\"clean\": *false"'
  rm /etc/systemd/system/multi-user.target.wants/mosquitto.service && sync
  systemctl stop mosquitto
  try 120 "the broker's absence is noticed" logged "no broker\|broker.*lost\|connection"
  camera away
  try 300 "the camera's absence is noticed" logged "camera offline"
  sleep 5
}

cut3_step() {
  whole
  systemctl start mosquitto
  try 120 "a broker" listens
  timeout 240 mosquitto_sub -h 127.0.0.1 -t 'edged/board/cam1/event' >/tmp/events &
  try 240 "an event of before the cut arrives from the spool" grep -q offline /tmp/events
  want "masks arrive" mask
  load &
  sleep 20
}

purge_step() {
  whole
  systemctl start mosquitto
  try 120 "a broker" listens
  want "masks arrive" mask
  want "it is that of before" sh -c 'dpkg-query -W edged | grep -qv later'
  dpkg -i /root/later.deb >/tmp/upgrade.log 2>&1 || no "upgrade: $(tail -n 3 /tmp/upgrade.log)"
  want "the upgrade is there" sh -c 'dpkg-query -W edged | grep -q later'
  try 600 "it runs after the upgrade" active
  want "masks arrive after the upgrade" mask
  want "config and state are kept" test -e /etc/edged/edged.toml -a -e $state/state.json
  apt-get purge -y -qq edged >/tmp/purge.log 2>&1 || no "purge: $(tail -n 3 /tmp/purge.log)"
  left=$(find / -xdev -name '*edged*' -not -path '/proc/*' -not -path '/tmp/*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/var/log/*' -not -path '/srv/*' -not -path '/etc/systemd/system/multi*' 2>/dev/null)
  want "purge leaves nothing: $left" [ -z "$left" ]
}

say "note step $step, up $(cut -d' ' -f1 /proc/uptime) s"
case $step in
cut*) "${step}_step"; say cut; sleep 600 ;;
*) "${step}_step"; sync; say "done"; systemctl poweroff ;;
esac
