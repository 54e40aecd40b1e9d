"""Benchmarks: ratios of things measured side by side on one machine, never absolute promises."""
