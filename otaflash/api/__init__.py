"""Boards as Python programs see them: connect, ask, push. The command line talks to boards through this alone."""
