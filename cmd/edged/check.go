package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edged"
	"edged/internal/config"
	"edged/internal/daemon"
	"edged/internal/stage"
	"edged/model"
	"edged/mqtt"
)

func newCheckCmd() *cobra.Command {
	var path string
	var printSample, offline bool
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Tell every fault of a config, with line and column",
		Long: `check reads a config as the daemon does and tells every fault with line and
column. Then it looks whether the models load and know what they must, whether
the cameras deliver a picture, and whether the broker takes the daemon in.

Exit 0: all is well. 78: the config is bad. 1: the config is good, but a model, a
camera or the broker is not.`,
		Example: `  edged check -c /etc/edged/edged.toml
  edged check -c edged.toml --offline    the file and the models only
  edged check --sample > edged.toml      a commented sample of every key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printSample {
				_, err := cmd.OutOrStdout().Write(config.Sample)
				return err
			}
			if path == "" {
				return exitf(exitUsage, "which config? Name it with -c FILE")
			}
			return check(cmd.Context(), path, offline, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "the configuration `FILE`")
	cmd.Flags().BoolVar(&printSample, "sample", false, "print a sample with every key")
	cmd.Flags().BoolVar(&offline, "offline", false, "do not open cameras and broker")
	return cmd
}

func check(ctx context.Context, path string, offline bool, out io.Writer) error {
	c, err := config.Load(path, configEngines)
	if err != nil {
		return err
	}
	var faults []error
	say := func(what string, err error, detail string) {
		if err != nil {
			fmt.Fprintf(out, "FAIL  %s: %s\n", what, bare(err))
			faults = append(faults, err)
			return
		}
		fmt.Fprintf(out, "ok    %s: %s\n", what, detail)
	}
	fmt.Fprintf(out, "ok    config: %s, %d camera(s)\n", path, len(c.Cameras))
	if w := pageWarning(c); w != "" {
		fmt.Fprintf(out, "warn  page: %s: %s\n", w, pageCure)
	}
	if _, err := c.HTTPPassword(); err != nil {
		say("page", err, "")
	}
	if taken := pageTaken(ctx, c); taken != "" && !offline {
		fmt.Fprintf(out, "warn  page: %s: choose another node.http\n", taken)
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		m, err := checkModel(ctx, cam, c)
		say("camera "+cam.Name+": model", err, m.detail)
		for _, warning := range m.warnings {
			fmt.Fprintf(out, "warn  camera %s: model: %s\n", cam.Name, warning)
		}
		if !offline {
			seen, err := checkCamera(ctx, cam, c, m.file)
			say("camera "+cam.Name+": source", err, seen.detail)
			for _, warning := range seen.warnings {
				fmt.Fprintf(out, "warn  camera %s: source: %s\n", cam.Name, warning)
			}
		}
	}
	if c.MQTT.Broker != "" && !offline {
		tried := askBroker(ctx, c)
		for _, w := range tried.Warnings {
			fmt.Fprintf(out, "warn  broker: %s: %s\n", w.Text, w.Cure)
		}
		if tried.Err != nil {
			tried.Err = fmt.Errorf("%w: %s", tried.Err, tried.Cure)
		}
		say("broker", tried.Err, c.MQTT.Broker+" takes us in")
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d of the things that the config names are not well", len(faults))
	}
	return nil
}

// bare is an error for a line that names its subject already: without the name
// of the package that it comes from.
func bare(err error) string {
	text := err.Error()
	for _, room := range []string{"model: ", "mqtt: ", "capture: ", "pipeline: ", "verdict: "} {
		text = strings.TrimPrefix(text, room)
	}
	return text
}

// checkTime is how long a camera or a broker may take to answer.
const checkTime = 10 * time.Second

// checkedModel is what there is to say of a camera's model.
type checkedModel struct {
	detail   string
	warnings []string
	damaged  bool // it gives what is not a number
	file     *stage.File
}

// checkModel has a child try the model, then lays out everything around it as
// the daemon would, and looks at what comes out.
func checkModel(ctx context.Context, cam *config.Camera, c *config.Config) (checkedModel, error) {
	var m checkedModel
	file, err := stage.Read(cam.Model)
	if err != nil {
		return m, err
	}
	if err := file.Admit(c.Trust()); err != nil {
		return m, err
	}
	m.file = file
	tried := engines
	tried.Limit = func() int64 { return int64(c.Node.MemoryLimit) }
	choice, err := tried.Try(ctx, file.Data, cam.Engine, cam.Threads, "")
	if err != nil {
		return m, err
	}
	use := *cam
	use.Engine = choice.Engine
	s, err := stage.Open(file, &use, openEngine, edged.Options{MemoryLimit: int64(c.Node.MemoryLimit)})
	if err != nil {
		return m, err
	}
	defer s.Engine.Close()
	if _, err := stage.NewRuler(cam, s.Labels, nil, nil, nil); err != nil {
		return m, err
	}
	x, err := stage.Examine(s)
	if err == nil && x.NotNumbers != nil {
		m.damaged, err = true, fmt.Errorf("%s: %w", file.Name, x.NotNumbers)
	}
	m.warnings = x.Warnings
	why := ""
	if choice.Why != "" {
		why = " (" + choice.Why + ")"
	}
	if file.Standing.Level == model.Invalid {
		m.warnings = append(m.warnings, "certificate invalid: "+file.Standing.Why)
	}
	if text := daemon.Oversize(c, cam, file.Name, s.Engine.Name(), s.Labels); text != "" {
		m.warnings = append(m.warnings, text)
	}
	m.detail = fmt.Sprintf("%s on %s%s, classes %q, certificate: %s", file.Name, s.Engine.Name(), why, s.Labels, file.Standing.Level)
	if t := s.Mask.Threshold(); t > 0 {
		m.detail += fmt.Sprintf(", class %q from a probability of %v on%s", s.Labels[1], t, whoseThreshold(file, cam))
	}
	return m, err
}

// whoseThreshold says so where nobody has given the threshold.
func whoseThreshold(file *stage.File, cam *config.Camera) string {
	manifest, err := file.Model.Manifest()
	if err == nil && manifest != nil && manifest.Output.Threshold != 0 || cam.Output != nil && cam.Output.Threshold != nil {
		return ""
	}
	return " (neither its manifest nor output.threshold says another)"
}

// askBroker connects and publishes as the daemon would.
func askBroker(ctx context.Context, c *config.Config) mqtt.Trial {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return mqtt.Try(ctx, c.Client())
}
