"""Engineering tools, one module a family: pure functions with formula, units and source, checked on worked values."""
