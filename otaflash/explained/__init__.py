"""What every error means: one page for each `reason`, as data. Knows no command line and nothing that can fail.

A file is named after the class of otaflash.errors that its pages' errors are of, or `board` and `otaflash` for those
that are of none; a page states `code` and `fault` only where they differ from the file's.
"""

from otaflash.explained.pages import Page, all_pages, near

__all__ = ["Page", "all_pages", "near"]
