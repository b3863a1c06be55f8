"""The commands beside `serve` and `tunnel`: one module for each group, which adds its parsers and runs them."""
