package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/zlib"

	"edged"
	"edged/internal/maskpng"
)

const (
	signature = "\x89PNG\r\n\x1a\n"

	// The text chunks in front of the pixels, for any PNG reader.
	resultKey = "edged" // iTXt, UTF-8: the result's JSON
	maskKey   = "mask"  // tEXt: the mask's PNG in base64

	// mostText bounds what is read of a file in front of its pixels.
	mostText = 8 << 20

	// filterSub has a byte hold its difference to the pixel on its left: half the
	// bytes of a camera's picture, at the price of a subtraction.
	filterSub = 1
)

// encode makes the PNG of a record: the frame as it is, its mask and its result.
func encode(r *record) ([]byte, error) {
	var m maskpng.Encoder
	mask, err := m.Encode(nil, &r.mask, r.seq, r.time)
	if err != nil {
		return nil, err
	}
	f := &r.frame
	b := make([]byte, 0, len(f.Pix)*2/3+len(mask)*4/3+len(r.body)+1024)
	b = append(b, signature...)
	colour := byte(2)
	if f.Format == edged.Gray {
		colour = 0
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(f.W))
	head = append(binary.BigEndian.AppendUint32(head, uint32(f.H)), 8, colour, 0, 0, 0)
	b = appendChunk(b, "IHDR", head)
	b = appendChunk(b, "iTXt", append([]byte(resultKey+"\x00\x00\x00\x00\x00"), r.body...))
	b = appendChunk(b, "tEXt", base64.StdEncoding.AppendEncode([]byte(maskKey+"\x00"), mask))
	pixels, err := deflated(f)
	if err != nil {
		return nil, err
	}
	return appendChunk(appendChunk(b, "IDAT", pixels), "IEND", nil), nil
}

func deflated(f *edged.Frame) ([]byte, error) {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	ch := f.Format.Channels()
	plain, line := make([]byte, f.W*ch), make([]byte, 1+f.W*ch)
	line[0] = filterSub
	for y := range f.H {
		copy(plain, f.Pix[y*f.Stride:])
		if f.Format == edged.BGR {
			for x := 0; x+2 < len(plain); x += 3 {
				plain[x], plain[x+2] = plain[x+2], plain[x]
			}
		}
		copy(line[1:], plain[:ch])
		for x := ch; x < len(plain); x++ {
			line[1+x] = plain[x] - plain[x-ch]
		}
		if _, err := z.Write(line); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	at := len(b)
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
}

// Texts are what a picture carries in front of its pixels.
type Texts struct {
	Result []byte // JSON
	Mask   []byte // PNG
}

// ErrNone is what is wrong with a picture that is no evidence.
var ErrNone = errors.New("no evidence: it holds no result of edged's")

// ReadTexts reads them from the file at path, and none of its pixels.
func ReadTexts(path string) (Texts, error) {
	f, err := os.Open(path)
	if err != nil {
		return Texts{}, err
	}
	defer f.Close()
	return readTexts(f)
}

func readTexts(r io.Reader) (t Texts, err error) {
	head := make([]byte, len(signature))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != signature {
		return t, ErrNone
	}
	var mask []byte
	for left := mostText; ; {
		kind, data, err := readChunk(r, left)
		if err != nil {
			return t, fmt.Errorf("evidence: %w", err)
		}
		left -= len(data)
		switch key, value, _ := bytes.Cut(data, []byte{0}); {
		case kind == "iTXt" && string(key) == resultKey && len(value) >= 4 && value[0] == 0 && value[2] == 0 && value[3] == 0:
			t.Result = value[4:]
		case kind == "tEXt" && string(key) == maskKey:
			mask = value
		case kind == "IDAT" || kind == "IEND":
			if t.Result == nil {
				return t, ErrNone
			}
			if t.Mask, err = base64.StdEncoding.AppendDecode(nil, mask); err != nil {
				return t, fmt.Errorf("evidence: mask: %w", err)
			}
			return t, nil
		}
	}
}

// readChunk reads a chunk of at most limit bytes; pixels are not read.
func readChunk(r io.Reader, limit int) (kind string, data []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", nil, err
	}
	kind = string(head[4:])
	if kind == "IDAT" || kind == "IEND" {
		return kind, nil, nil
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > int64(limit) {
		return "", nil, fmt.Errorf("a chunk %q of %d bytes: over %d in front of the pixels", kind, n, mostText)
	}
	// Grown as it comes: a length is only a claim.
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, n+4); err != nil {
		return "", nil, io.ErrUnexpectedEOF
	}
	sum := crc32.NewIEEE()
	sum.Write(head[4:])
	sum.Write(b.Bytes()[:n])
	if binary.BigEndian.Uint32(b.Bytes()[n:]) != sum.Sum32() {
		return "", nil, fmt.Errorf("chunk %q is damaged", kind)
	}
	return kind, b.Bytes()[:n], nil
}

// isWhole tells whether a file ends as a PNG does.
func isWhole(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return true // who may not read it cannot tell
	}
	defer f.Close()
	end := appendChunk(nil, "IEND", nil)
	got := make([]byte, len(end))
	if size < int64(len(end)) {
		return false
	}
	if _, err := f.ReadAt(got, size-int64(len(end))); err != nil {
		return true
	}
	return bytes.Equal(got, end)
}
