"""Wire formats, one a module: a call in, an answer out."""
