package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"edged/internal/maskpng"
	"edged/mqtt"
)

func newWatchCmd() *cobra.Command {
	cfg := mqtt.Default()
	cfg.Broker = "tcp://127.0.0.1:1883"
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Follow results and masks from a broker",
		Long: `watch prints a line for each result, each event and each change of status that
arrives, until ctrl-C. It connects again by itself when the broker goes away, and
says so when nothing comes for ten seconds.`,
		Example: `  edged watch
  edged watch --broker ssl://broker.plant:8883 --ca ca.pem --username line1 --password-file pw
  edged watch --overlay seen   # seen/<node>_<cam>_<seq>.jpg, of nodes with mqtt.overlay = true
  edged watch --stitch belt.png # line cameras' endless masks, as pictures
  edged watch --save masks     # masks/<node>_<cam>_<seq>.png (or .zst, as it was sent)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			cfg.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return watch(ctx, cfg, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Broker, "broker", cfg.Broker, "broker's address: tcp:// or ssl://")
	f.StringVar(&cfg.Prefix, "prefix", cfg.Prefix, "prefix of the topics")
	f.StringVar(&cfg.Username, "username", "", "user name")
	f.StringVar(&cfg.PasswordFile, "password-file", "", "file whose first line is the password")
	f.StringVar(&cfg.CA, "ca", "", "certificate authority, PEM")
	f.StringVar(&cfg.Cert, "cert", "", "client certificate, PEM")
	f.StringVar(&cfg.Key, "key", "", "key of the client certificate, PEM")
	f.StringVar(&o.save, "save", "", "`FOLDER` to save masks in")
	f.StringVar(&o.stitch, "stitch", "", "`FILE` to lay line cameras' masks together in: FILE.png becomes FILE_<node>_<cam>_<row>.png, one for each run of rows")
	f.StringVar(&o.overlay, "overlay", "", "`FOLDER` to save pictures for people in, of nodes with mqtt.overlay = true")
	o.quiet = watchQuiet
	return cmd
}

// watchQuiet is how long nothing may come until watch says so.
const watchQuiet = 10 * time.Second

type watchOptions struct {
	save    string        // folder for masks; empty: none are saved
	overlay string        // the same for pictures for people
	stitch  string        // name of the pictures that line cameras' masks are laid together in; empty: none are
	quiet   time.Duration // as watchQuiet; 0: nothing is said
}

// watch follows the broker until ctx ends. It stops with an error when a line or
// a mask cannot be written.
func watch(ctx context.Context, cfg mqtt.Config, o watchOptions, out, errs io.Writer) error {
	for _, dir := range []string{o.save, o.overlay} {
		if err := os.MkdirAll(dir, 0o777); dir != "" && err != nil {
			return fmt.Errorf("watch: folder to save in: %w", err)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	v := &viewer{prefix: cfg.Prefix, save: o.save, overlay: o.overlay, out: out, stop: stop, masks: map[string][][]byte{}, stitch: newStitcher(o.stitch)}
	var filters []string
	for _, leaf := range []string{"+/status", "+/+/status", "+/+/event", "+/+/result"} {
		filters = append(filters, cfg.Prefix+"/"+leaf)
	}
	if o.save != "" || o.stitch != "" {
		filters = append(filters, cfg.Prefix+"/+/+/mask")
	}
	if o.overlay != "" {
		filters = append(filters, cfg.Prefix+"/+/+/"+mqtt.LeafOverlay)
	}
	if o.quiet > 0 {
		defer time.AfterFunc(o.quiet, func() { v.sayQuiet(errs, cfg.Broker, o.quiet) }).Stop()
	}
	if err := mqtt.Watch(ctx, cfg, v.show, filters...); err != nil {
		return &exitError{exitUsage, err}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.stitch.end(v.stitched); err != nil {
		v.fail(err)
	}
	return v.err
}

// viewer turns messages into lines and files.
type viewer struct {
	prefix  string
	save    string
	overlay string
	stitch  stitcher
	out     io.Writer
	stop    context.CancelFunc

	mu    sync.Mutex
	came  [3]bool             // anything; a result or an event; an overlay
	err   error               // what ended the watch
	masks map[string][][]byte // masks of each camera, until their results come
}

func (v *viewer) show(m mqtt.Received) {
	rest, ok := strings.CutPrefix(m.Topic, v.prefix+"/")
	if !ok {
		return
	}
	levels := strings.Split(rest, "/")
	leaf, who := levels[len(levels)-1], strings.Join(levels[:len(levels)-1], "/")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.came[0] = true
	v.came[1] = v.came[1] || leaf == "result" || leaf == "event"
	switch leaf {
	case mqtt.LeafOverlay:
		v.came[2] = true
		v.picture(who, m.Payload)
	case "mask":
		waiting := append(v.masks[who], m.Payload)
		v.masks[who] = waiting[max(0, len(waiting)-mostMasks):]
	case "status":
		v.line("%s is %s", who, m.Payload)
	case "event":
		v.event(who, m.Payload)
	case "result":
		v.result(who, m.Payload)
	}
}

// sayQuiet says what has not come, once.
func (v *viewer) sayQuiet(errs io.Writer, broker string, waited time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !v.came[0]:
		fmt.Fprintf(errs, "edged: watch: nothing has come from %s below %s/ in %v: is a node running that publishes there, under this --prefix? Waiting\n", broker, v.prefix, waited)
	case !v.came[1]:
		fmt.Fprintf(errs, "edged: watch: no result has come in %v: are the cameras online, enabled, and triggered? Waiting\n", waited)
	case v.overlay != "" && !v.came[2]:
		fmt.Fprintf(errs, "edged: watch: no overlay has come in %v: does the node have mqtt.overlay = true? Waiting\n", waited)
	}
}

// line prints one line. What others have sent must not drive the terminal, so
// control characters become visible.
func (v *viewer) line(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...))
	if _, err := fmt.Fprintln(v.out, text); err != nil {
		v.fail(err)
	}
}

func (v *viewer) fail(err error) {
	if v.err == nil {
		v.err = fmt.Errorf("watch: %w", err)
	}
	v.stop()
}

func (v *viewer) event(who string, payload []byte) {
	var e mqtt.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		v.line("%s event cannot be read: %v", who, err)
		return
	}
	text := e.Message
	if e.Verdict != "" {
		text = strings.TrimSpace(fmt.Sprintf("%s -> %s %s", e.Previous, e.Verdict, joinWhys(e.Reasons)))
	}
	for _, c := range e.Changes {
		text += fmt.Sprintf("; %s: %v -> %v", c.Key, c.Previous, c.Value)
	}
	if e.PartID != "" {
		text += " part " + e.PartID
	}
	v.line("%s %s event %d %s: %s", e.TS.Format(maskpng.TimeLayout), who, e.Seq, e.Kind, text)
}

func joinWhys(reasons []mqtt.Why) string {
	var all []string
	for _, r := range reasons {
		all = append(all, r.Text)
	}
	return strings.Join(all, "; ")
}

func (v *viewer) result(who string, payload []byte) {
	var r mqtt.Result
	if err := json.Unmarshal(payload, &r); err != nil {
		v.line("%s result cannot be read: %v", who, err)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d", r.TS.Format(maskpng.TimeLayout), who, r.Seq)
	if r.Verdict != "" {
		fmt.Fprintf(&b, " %s", r.Verdict)
	}
	fmt.Fprintf(&b, " %.1f ms", r.InferMS)
	for _, c := range r.Classes {
		if c.Px > 0 {
			fmt.Fprintf(&b, " %s=%.2f%%", c.Name, 100*c.Ratio)
		}
	}
	if l := r.Line; l != nil {
		fmt.Fprintf(&b, " rows %d-%d", l.Row, l.Row+int64(l.Rows)-1)
	}
	if r.PartID != "" {
		fmt.Fprintf(&b, " part %s", r.PartID)
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "; %s", reason)
	}
	if file := v.keep(who, &r); file != "" {
		fmt.Fprintf(&b, " -> %s", file)
	}
	v.line("%s", b.String())
}

// mostMasks are kept of a camera until their results come: those are acknowledged one
// by one, so that masks overtake them where a camera is fast.
const mostMasks = 64

// maskOf is the mask of a result, nil where none has come. It and those before it are
// waited for no longer.
func (v *viewer) maskOf(who string, r *mqtt.Result) []byte {
	for i, mask := range v.masks[who] {
		if r.Mask == nil || len(mask) != r.Mask.Bytes {
			continue
		}
		if r.Mask.Encoding == mqtt.EncodingPNG { // others have no number
			if seq, err := maskpng.Text(mask, "seq"); err != nil || seq != fmt.Sprint(r.Seq) {
				continue
			}
		}
		v.masks[who] = v.masks[who][i+1:]
		return mask
	}
	return nil
}

// keep saves the mask that came with r and returns the file's name. A mask
// precedes its result; one that was lost on the way is not there.
func (v *viewer) keep(who string, r *mqtt.Result) string {
	mask := v.maskOf(who, r)
	if why := v.stitch.why(who, r); why != "" {
		v.line("%s: %s", who, why)
	}
	if mask != nil {
		if file, err := v.stitch.add(who, r, mask); err != nil {
			v.fail(err)
		} else if file != "" {
			v.stitched(who, file)
		}
	}
	if v.save == "" || mask == nil {
		return ""
	}
	kind := "zst"
	if r.Mask.Encoding == mqtt.EncodingPNG {
		kind = "png"
	}
	file := filepath.Join(v.save, fmt.Sprintf("%s_%06d.%s", strings.ReplaceAll(who, "/", "_"), r.Seq, kind))
	if err := os.WriteFile(file, mask, 0o666); err != nil {
		v.fail(err)
		return ""
	}
	return file
}

// stitched tells of a picture of a line camera's mask.
func (v *viewer) stitched(who, file string) { v.line("%s: rows laid together -> %s", who, file) }

// seqComment is what a picture for people says of itself.
var seqComment = regexp.MustCompile(`seq=([0-9]{1,19}) ts=([0-9A-Z:.-]{1,40})`)

// picture saves a picture for people under the number of its result.
func (v *viewer) picture(who string, jpeg []byte) {
	m := seqComment.FindSubmatch(jpeg[:min(len(jpeg), 100)])
	if m == nil || !bytes.HasPrefix(jpeg, []byte{0xff, 0xd8}) {
		v.line("%s overlay of %d bytes is none of edged's", who, len(jpeg))
		return
	}
	seq, _ := strconv.ParseUint(string(m[1]), 10, 64) // nineteen digits
	file := filepath.Join(v.overlay, fmt.Sprintf("%s_%06d.jpg", strings.ReplaceAll(who, "/", "_"), seq))
	if err := os.WriteFile(file, jpeg, 0o666); err != nil {
		v.fail(err)
		return
	}
	v.line("%s %s overlay -> %s", m[2], who, file)
}
