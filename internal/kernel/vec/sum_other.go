//go:build (!amd64 && !arm64) || purego

package vec

func sumRows([]int32, []byte, int, int, bool) int { return 0 }
