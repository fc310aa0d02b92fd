//go:build opencv && cgo

package opencv

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// requestBuffers is the kernel's struct v4l2_requestbuffers, and what is asked with it.
type requestBuffers struct {
	count, kind, memory, capabilities uint32
	flags                             uint8
	_                                 [3]uint8
}

const (
	vidiocReqbufs = 0xc014_5608 // _IOWR('V', 8, struct v4l2_requestbuffers)
	videoCapture  = 1
	memoryMapped  = 1
)

// whyNotDevice is why a device that OpenCV cannot open is not to be had, which OpenCV
// does not tell; empty: it is to be had.
func whyNotDevice(path string) string {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EBUSY):
		return "it is in use: another program reads from it"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "it may not be opened: add the user to the group video"
	case err != nil:
		return fmt.Sprintf("it cannot be opened: %v", err)
	}
	defer unix.Close(fd)
	ask := requestBuffers{kind: videoCapture, memory: memoryMapped} // no buffers at all: who has some is told to others alone
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), vidiocReqbufs, uintptr(unsafe.Pointer(&ask)))
	switch errno {
	case 0:
		return ""
	case unix.EBUSY:
		return "it is in use: another program reads from it"
	case unix.ENOTTY, unix.EINVAL:
		return "it is no camera: it gives no pictures (a camera's second device, for its metadata, does not either; its first one ends in video-index0)"
	}
	return fmt.Sprintf("it gives no pictures: %v", errno)
}
