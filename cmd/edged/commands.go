package main

import "github.com/spf13/cobra"

// commands lists every command in the order of their names. A command writes
// its product to cmd.OutOrStdout() and everything else to cmd.ErrOrStderr().
var commands = []func() *cobra.Command{
	newEvalCmd,
	newBenchCmd,
	newCanaryCmd,
	newCheckCmd,
	newCompareCmd,
	newDoctorCmd,
	newDemoCmd,
	newInferCmd,
	newInspectCmd,
	newKeyCmd,
	newManifestCmd,
	newQuantizeCmd,
	newReplayCmd,
	newRewriteCmd,
	newRunCmd,
	newSnapCmd,
	newTuneCmd,
	newVerifyCmd,
	newVersionCmd,
	newWatchCmd,
}
