"""From raw rows to a model's features; the same code trains and serves. numpy only."""
