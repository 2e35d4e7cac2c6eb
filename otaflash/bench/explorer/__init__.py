"""The power-cut explorer: every cut of power in a family of histories, driven through the real core. Knows no link and no engine."""
