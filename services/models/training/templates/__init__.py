"""Questions that a plant can answer from its own table: each module holds one template."""
