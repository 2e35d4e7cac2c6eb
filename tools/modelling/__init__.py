"""A model of swap, boot record and trial that stands apart from the C core (docs/model.md): flash with torn cells, the
algorithm, a world that decides and cuts, what must hold, and an exhaustive search."""
