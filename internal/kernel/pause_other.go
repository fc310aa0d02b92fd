//go:build !(amd64 || arm64) || purego

package kernel

// Pause does nothing here: the caller's loop is the pause.
func Pause() {}
