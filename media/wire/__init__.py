"""The wire: one UDP port, batches and trains of datagrams, ICE-lite, DTLS and SRTP."""
