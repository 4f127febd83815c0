"""The one reader of config.yaml: strict, complete in its complaints, silent about secrets."""

from .errors import ConfigError, Fault
from .loader import LoadedConfig, load_config
from .model import Config
from .places import Places, config_file

__all__ = ["Config", "ConfigError", "Fault", "LoadedConfig", "Places", "config_file", "load_config"]
