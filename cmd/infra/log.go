package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// logFlags are those of the commands that run for long.
type logFlags struct {
	level  slog.Level
	format string
}

func (l *logFlags) register(cmd *cobra.Command) {
	l.format = "text"
	levels := []string{"debug", "info", "warn", "error"}
	formats := []string{"text", "json"}
	cmd.Flags().TextVar(&l.level, "log-level", slog.LevelInfo, "log from this `level` on: debug, info, warn, error")
	cmd.Flags().Var(&choice{value: &l.format, of: formats}, "log-format", "log as text or json")
	check(cmd.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions(levels, cobra.ShellCompDirectiveNoFileComp)))
	check(cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)))
}

func (l *logFlags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.level}
	if l.format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
