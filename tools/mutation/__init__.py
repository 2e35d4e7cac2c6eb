"""Mutants: what they are, how one is made, what it is put through. Changes nothing outside a folder of its own."""
