"""How fast the server is, beside a bare pump in C (what the machine allows) and terminado, in one run."""
