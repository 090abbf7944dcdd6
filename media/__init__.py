"""The relay: packets in, packets out. Knows no school, no database and no web server."""
