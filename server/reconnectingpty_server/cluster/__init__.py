"""More than one machine: sessions that carry their node's name, and a router that reads it."""
