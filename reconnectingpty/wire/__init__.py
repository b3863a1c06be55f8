"""The wire protocols: pure codecs from bytes to messages and back. No I/O; client and server share them."""
