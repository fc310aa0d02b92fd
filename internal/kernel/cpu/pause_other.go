//go:build !(amd64 || arm64) || purego

package cpu

// Pause does nothing here: the caller's loop is the pause.
func Pause() {}
