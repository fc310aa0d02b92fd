// Package opencv is the side of capture that uses OpenCV, through gocv. Only
// edged-camera, the worker process, links it.
package opencv
