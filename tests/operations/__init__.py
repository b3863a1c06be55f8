"""What an operator has of a server: measures, alerts, the service manager, packages, manuals."""
