"""The Python SDK: it submits, reads and checks what it is told."""
