"""SDP and trickle fragments: the boundary to strangers, and the answers. Pure."""
