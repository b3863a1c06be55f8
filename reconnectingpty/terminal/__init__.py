"""The terminal model: bytes in, a screen out, and back again as the bytes that draw it.

Pure: it knows no loop, no clock of its own, no process and no viewer.
"""
