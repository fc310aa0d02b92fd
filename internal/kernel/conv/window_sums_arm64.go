//go:build arm64 && !purego

package conv

// windowSumsSIMD is windowSumsPortable in chunks of 16 bytes.
//
//go:noescape
func windowSumsSIMD(c *windowCall)
