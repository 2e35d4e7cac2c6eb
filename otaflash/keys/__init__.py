"""Keys that images are signed with: their files, what is left of them, the signatures. Knows no image and no board."""
