"""The version of twinstore, as it was installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("twinstore")
except PackageNotFoundError:  # run from a source folder that was never installed
    VERSION = "unknown"
