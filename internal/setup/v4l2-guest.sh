#!/bin/bash
# The first process of v4l2.sh's emulated machine: makes a system of it in which the
# tests run, in FOLDER, and powers off.
#
#   v4l2-guest.sh FOLDER TESTS [flags]
cd "$1"
shift
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
ip link set lo up
echo '127.0.0.1 localhost' >/etc/hosts

# Debian's udev names cameras by what they are and where they are plugged in. vivid
# is on no bus and has no serial number: it gets those of a USB camera.
cp -r "$V4L2_UDEV"/lib/udev/. /usr/lib/udev/
cp "$V4L2_UDEV"/bin/udevadm /usr/bin/
rm -f /usr/lib/udev/rules.d/{75,78,80,85,90}-*
mkdir -p /run/udev/rules.d
echo 'SUBSYSTEM=="video4linux", KERNEL=="video*", ENV{ID_BUS}="usb", ENV{ID_SERIAL}="Maker_Camera_0123"' >/run/udev/rules.d/59-serial.rules
ln -s /usr/bin/udevadm /tmp/systemd-udevd
/tmp/systemd-udevd --daemon
echo "v4l2: the machine is up after $(cut -d' ' -f1 /proc/uptime) s"
"$@" 2>&1
echo "v4l2: exit status $?"
sync
echo o >/proc/sysrq-trigger
read -r -t 60 <>/dev/console
