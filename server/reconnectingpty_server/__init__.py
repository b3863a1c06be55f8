"""The program on top of the library `reconnectingpty`: a server with a page, an API, metrics, and a command line."""
