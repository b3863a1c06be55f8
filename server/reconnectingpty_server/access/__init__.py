"""Who may come in, as whom, and what for: proofs, roles, links, and their end. Nothing here knows a route."""
