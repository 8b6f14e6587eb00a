"""Networks that face engines share."""
