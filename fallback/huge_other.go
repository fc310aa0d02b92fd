//go:build !linux

package fallback

func hugePages([]byte) {}
