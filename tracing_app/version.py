"""The version of this project, as telemetry names it."""

VERSION = "0.1.0"
