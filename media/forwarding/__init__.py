"""From a publisher's packets to its subscribers: sources, tracks, layers, and one packet to many."""
