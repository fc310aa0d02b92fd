package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"edged/internal/config"
	"edged/internal/daemon"
	"edged/internal/signals"
)

func newRunCmd() *cobra.Command {
	var path string
	var once, asJSON, commission bool
	var address string
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the daemon",
		Long: `Run the daemon: every camera of the config through its model, to the broker.

It does not exit for a camera or a broker that is away: it says so once and
keeps trying. It ends on SIGTERM or SIGINT, within 5 seconds. SIGHUP reloads the
config and the models: what the config says of a camera but its source holds
from the next frame on; what needs a restart is told; a config with a fault
changes nothing.

With --once it processes every frame of its sources, which must be files or
folders (or a pipeline that ends), ends when they have ended, and prints what
became of every frame and message.

With --commission it runs no camera: it serves a page on which one is set up - a
source, a model made dense and proved, its facts, zones, rules tried on pictures -
and written to FILE, which need not exist yet. The page asks for the token that is
printed once, and is reached from this machine alone unless --http says otherwise.`,
		Example: `  edged run -c /etc/edged/edged.toml
  edged run -c clip.toml --once
  edged run -c clip.toml --once --json | jq .cameras
  edged run -c edged.toml --commission`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if commission {
				return runCommission(cmd.Context(), path, address, cmd.ErrOrStderr())
			}
			if address != "" {
				return usageErr(cmd, errors.New("--http is for --commission: the daemon listens where node.http says"))
			}
			c, err := config.Load(path, configEngines)
			if err != nil {
				return err
			}
			reread := func() (*config.Config, error) { return config.Load(path, configEngines) }
			return runDaemon(cmd.Context(), c, reread, once, func(l *daemon.Ledger) error {
				if asJSON {
					return writeJSON(cmd.OutOrStdout(), l)
				}
				return l.Print(cmd.OutOrStdout())
			}, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "the configuration `FILE`")
	cmd.Flags().BoolVar(&once, "once", false, "end when every source has ended, and print the ledger")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --once: print the ledger as one JSON document")
	cmd.Flags().BoolVar(&commission, "commission", false, "set a camera up in a browser, and write FILE")
	cmd.Flags().StringVar(&address, "http", "", "with --commission: `ADDRESS` to listen at (default "+config.DefaultHTTP+")")
	cmd.MarkFlagsMutuallyExclusive("commission", "once")
	cmd.MarkFlagsMutuallyExclusive("commission", "json")
	_ = cmd.MarkFlagRequired("config")
	return cmd
}

// runDaemon runs c until its sources end (once) or a signal comes, then hands
// the ledger to report.
func runDaemon(ctx context.Context, c *config.Config, reread func() (*config.Config, error), once bool, report func(*daemon.Ledger) error, stderr io.Writer) error {
	ctx, hangup, done := signals.Daemon(ctx)
	defer done()
	log, flush := newLogger(stderr)
	defer flush()
	slog.SetDefault(log)
	d, err := daemon.New(ctx, c, daemon.Options{Once: once, Log: log, Engines: engines, Version: version, Hangup: hangup, Reread: reread})
	if err != nil && ctx.Err() != nil {
		log.Info("stopping", "reason", "told to stop while loading")
		return nil
	}
	if err != nil {
		return err
	}
	runErr := d.Run(ctx)
	flush()
	if once {
		if err := report(d.Ledger()); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return runErr
}
