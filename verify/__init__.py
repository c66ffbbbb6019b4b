"""The offline verifier: evidence in, a verdict out, with nothing of the other packages."""
