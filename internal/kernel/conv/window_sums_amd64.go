//go:build amd64 && !purego

package conv

// windowSumsAVX512 is windowSumsPortable in chunks of 64 bytes.
//
//go:noescape
func windowSumsAVX512(c *windowCall)
