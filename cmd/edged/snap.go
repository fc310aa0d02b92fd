package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"edged"
	"edged/capture"
	"edged/internal/atomicfile"
)

// snapTimeout bounds the wait for a camera's first picture, its opening included.
const snapTimeout = 21 * time.Second

func newSnapCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "snap SOURCE -o FILE",
		Short: "Take one picture of a camera",
		Long: `snap opens a source, writes its first picture, and closes it again.

SOURCE is what a config's source may be: a device, an address, a clip, a folder
or test:belt. FILE ends in .png, which keeps every pixel, or in .jpg.`,
		Example: `  edged snap /dev/video0 -o part.png
  edged snap rtsp://camera.plant/stream -o part.jpg
  edged snap test:belt?seed=3&size=640x480 -o belt.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			encode := encoderOf(out)
			if encode == nil {
				return exitf(exitUsage, "-o %s: name a .png or a .jpg file", out)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			f, err := snap(ctx, args[0], func(f *edged.Frame) error {
				b, err := encode(pictureOf(f))
				if err != nil {
					return err
				}
				return atomicfile.Write(out, b)
			})
			if err != nil {
				return fmt.Errorf("snap: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %dx%d\n", out, f.W, f.H)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "the picture, a .png or .jpg `FILE`")
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

// snap hands the first picture of a source to use, which borrows it.
func snap(ctx context.Context, source string, use func(*edged.Frame) error) (edged.Frame, error) {
	var f edged.Frame
	var why capture.Excuse
	src, err := capture.Open(capture.Config{Name: "snap", Source: source, Once: true, Log: slog.New(slog.DiscardHandler), OnStatus: why.Note})
	if err != nil {
		return f, err
	}
	defer src.Close()
	ctx, stop := context.WithTimeout(ctx, snapTimeout)
	defer stop()
	if err := src.Next(ctx, &f); err != nil {
		return f, fmt.Errorf("no picture from %s: %w", capture.Redact(source), why.Add(err))
	}
	return f, use(&f)
}

// encoderOf is how a picture file of this name is written; nil: no way is known.
func encoderOf(name string) func(image.Image) ([]byte, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png":
		return func(img image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := png.Encode(&b, img)
			return b.Bytes(), err
		}
	case ".jpg", ".jpeg":
		return func(img image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
			return b.Bytes(), err
		}
	}
	return nil
}

// pictureOf copies a frame of any format.
func pictureOf(f *edged.Frame) image.Image {
	if f.Format == edged.Gray {
		img := image.NewGray(image.Rect(0, 0, f.W, f.H))
		for y := range f.H {
			copy(img.Pix[y*img.Stride:], f.Pix[y*f.Stride:][:f.W])
		}
		return img
	}
	red, blue := 0, 2
	if f.Format == edged.BGR {
		red, blue = 2, 0
	}
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		src, dst := f.Pix[y*f.Stride:], img.Pix[y*img.Stride:]
		for x := range f.W {
			p := src[3*x : 3*x+3]
			dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = p[red], p[1], p[blue], 255
		}
	}
	return img
}
