"""RTP and RTCP as far as a relay reads and writes them. Pure."""
