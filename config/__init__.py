"""Settings, logging, words, and the data a bureau may replace."""
