// Package log has what OpenFGA calls of the real one: a logger for the certificates' watcher.
package log

import "github.com/go-logr/logr"

func SetLogger(logr.Logger) {}
