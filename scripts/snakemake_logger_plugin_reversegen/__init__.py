"""The logger plug-in behind `snakemake --logger reversegen`; Snakemake finds it by the name of this package."""

from reversegen.operations.run_display import LogHandler

__all__ = ["LogHandler"]
