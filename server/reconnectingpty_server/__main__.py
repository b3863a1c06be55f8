"""`python -m reconnectingpty_server` is the command `reconnectingpty`."""

from .cli import main

if __name__ == "__main__":
    main()
