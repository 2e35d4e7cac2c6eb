"""Makes documents of the code: the manual page, and what the reference pages of docs/ say. Knows no prose."""
