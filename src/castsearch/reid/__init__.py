"""Re-identification by the body: train a network to tell people apart, describe every crop with it."""
