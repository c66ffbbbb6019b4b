"""The simulator of the protocol core: shipped machines, abstract signatures, a network of one
process.
"""
