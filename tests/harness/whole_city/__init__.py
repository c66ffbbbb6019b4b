"""A city of whole nodes in one process, on virtual time: every byte and timer drawn by one seed."""
