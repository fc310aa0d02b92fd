//go:build !linux

package fallback

func hugePages([]byte) {}

// forget keeps what it cannot give back.
func forget([]byte) {}
