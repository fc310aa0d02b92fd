// Command edged-camera is the worker process in which OpenCV reads one camera.
// edged starts it; its whole life is in package capture/internal/worker.
package main

import (
	"os"

	"edged/capture/opencv"
)

func main() { os.Exit(opencv.Main()) }
