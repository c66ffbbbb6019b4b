"""The Simplex core: one pure function from inputs to effects."""
