"""Who appears when, and with whom."""
