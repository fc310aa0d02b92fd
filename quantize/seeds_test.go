package quantize

import "os"

// seeds is how many random nets a test draws: all of them where EDGED_EXTENDED is
// set.
func seeds(few, all int) int {
	if os.Getenv("EDGED_EXTENDED") != "" {
		return all
	}
	return few
}
