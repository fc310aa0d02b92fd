//go:build !(opencv && cgo)

package opencv

import (
	"fmt"
	"os"
)

// Main says how to build a worker that can read cameras.
func Main() int {
	fmt.Fprintln(os.Stderr, "edged-camera: built without OpenCV: run `make build`, or go build with cgo and -tags \"opencv customenv gocv_specific_modules gocv_videoio\"")
	return 1
}
