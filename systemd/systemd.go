// Package systemd tells the service manager how the daemon is: ready, stopping,
// and alive - where alive means that every stage moves. It also holds what the
// service is installed with: the unit, sysusers.d and modules-load.d.
//
// Outside of systemd everything here does nothing and costs nothing.
package systemd

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells the service manager that the start is complete: the config is
// good, the models are loaded and tried. status is shown by systemctl status.
func Ready(status string) error { return notify(daemon.SdNotifyReady + "\nSTATUS=" + status) }

// Status changes what systemctl status shows.
func Status(status string) error { return notify("STATUS=" + status) }

// Stopping tells the service manager that the end has begun.
func Stopping() error { return notify(daemon.SdNotifyStopping) }

func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("systemd: notification: %w", err)
	}
	return nil
}

// Credential is the path of a credential that the service manager has loaded
// for this service (LoadCredential=), and whether there is one of that name.
func Credential(name string) (path string, ok bool) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || name == "" || name != filepath.Base(name) {
		return "", false
	}
	path = filepath.Join(dir, name)
	_, err := os.Stat(path)
	return path, err == nil
}
