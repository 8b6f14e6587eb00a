"""Who appears when, in the files of other people's tools: one format a module, listed in `formats`."""
