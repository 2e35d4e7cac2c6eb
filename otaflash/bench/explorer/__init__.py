"""The power-cut explorer: every cut of power in a family of histories of the real core. Knows no link and no engine."""
